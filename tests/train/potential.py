"""A task with two labels, energies and forces, of which some are missing."""

from dataclasses import asdict, dataclass

import torch
from torch import nn

from steerable.certify import POSITIONS, Role
from steerable.data import Batches
from steerable.field import Field
from steerable.groups import O3
from steerable.models import Claim
from steerable.ops import radius_graph
from steerable.train import Loss, Measure, Outcome, Problem, RunConfig, Table, Task, Term
from steerable.train import TrainingConfig as Training
from steerable.train.losses import scaled
from steerable.train.measures import errors
from steerable.train.predict import predict

UNITS = {"energy": "eV", "forces": "eV/Angstrom"}


class Springs(nn.Module):
    """An energy of pairs, and its forces: as a potential returns them, also without gradients."""

    def __init__(self, width=8):
        super().__init__()
        self.pair = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, pos, batch=None):
        batch = torch.zeros(len(pos), dtype=torch.long) if batch is None else batch
        with torch.enable_grad():
            pos = pos.detach().requires_grad_()
            source, target = radius_graph(pos.detach(), 10.0, batch)
            distance = (pos[source] - pos[target]).norm(dim=1, keepdim=True)
            pairs = self.pair(distance)[:, 0]
            energy = pos.new_zeros(int(batch.max()) + 1).index_add(0, batch[target], pairs)
            (slope,) = torch.autograd.grad(energy.sum(), pos, create_graph=self.training)
        return {"energy": energy, "forces": -slope}

    def certifiable(self, pos, batch):
        output = {"energy": Role(rows="graph"), "forces": Role(field=Field.parse("1o", O3()))}
        return Claim(self, [(pos, POSITIONS), (batch, Role())], output, O3())


class Structures:
    """Triangles of atoms on springs, E = sum over ordered pairs of (r - 1)^2 / 2.

    Every second has no forces, and of the others every third has no energy.
    """

    def __init__(self, count, seed, missing=True):
        pos = torch.randn(count, 3, 3, generator=torch.Generator().manual_seed(seed))
        self.pos = pos.requires_grad_()
        distance = (pos[:, :, None] - pos[:, None] + 10 * torch.eye(3)[..., None]).norm(dim=-1)
        bonds = (distance - 1) ** 2 / 2 * (1 - torch.eye(3))
        energy = bonds.sum((1, 2))
        (slope,) = torch.autograd.grad(energy.sum(), pos)
        self.pos, self.energy, self.forces = pos.detach(), energy.detach(), -slope
        if missing:
            self.forces[::2] = torch.nan
            self.energy[1::6] = torch.nan

    def __len__(self):
        return len(self.pos)

    def batch(self, chosen):
        batch = torch.arange(len(chosen)).repeat_interleave(3)
        labels = {"energy": self.energy[chosen], "forces": self.forces[chosen].flatten(0, 1)}
        return self.pos[chosen].flatten(0, 1), batch, labels


@dataclass
class PotentialData:
    """Which structures are learned.

    Args:
        train: how many.
    """

    train: int = 60


@dataclass(frozen=True)
class SpringsSettings:
    """The network.

    Args:
        width: of its perceptron.
    """

    width: int = 8


class PotentialConfig(RunConfig[PotentialData, SpringsSettings, Training]):
    """A training run on energies and forces."""

    task = "potential"


def pose(config, dataset=None):
    train = Structures(config.data.train, 0)
    terms = (
        Term("energy", scaled("mse", 1.0), 0.1, "eV^2"),
        Term("forces", scaled("mse", 1.0), 1.0, "(eV/Angstrom)^2"),
    )
    return Problem(
        train=Batches(train, config.fit.batch_size, config.fit.seed),
        validation=Batches(Structures(20, 1), 20),
        measures=(
            Measure("forces MAE", UNITS["forces"], "forces"),
            Measure("energy MAE", UNITS["energy"], "energy"),
        ),
        loss=Loss(terms),
        probe=train.batch(torch.tensor([0]))[:2],
        arguments=asdict(config.model),
        metadata={"task": "potential/springs", "model": asdict(config.model)},
    )


def held_out(config, dataset=None):
    return Structures(20, 2, missing=False)


def test(model, structures, metadata):
    predicted = predict(model, structures)
    labels = structures.batch(torch.arange(len(structures)))[-1]
    results, guesses, tables = {}, {"name": "zero"}, {}
    for name in ("forces", "energy"):
        for key, value in errors(predicted[name], labels[name], UNITS[name]).items():
            results[f"{name}_{key}"] = value
        zero = errors(torch.zeros_like(labels[name]), labels[name], UNITS[name])
        guesses |= {f"{name}_{key}": value for key, value in zero.items()}
        columns = torch.stack([labels[name].flatten(), predicted[name].flatten()], 1)
        header = (f"true [{UNITS[name]}]", f"predicted [{UNITS[name]}]")
        tables[name] = Table(header, columns.tolist())
    return Outcome({"structures": len(structures)} | results, {"zero": guesses}, tables)


def claim(model, structures, metadata):
    return model.certifiable(*structures.batch(torch.arange(4))[:2])


TASK = Task("potential", "structures", PotentialConfig, Springs, pose, held_out, test, claim)
