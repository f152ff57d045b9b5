"""Dipoles of molecules from features of pairs of atoms, as charges and dipoles at the atoms.

python examples/dipoles.py FILE.db [--steps 4000]

FILE.db is a database of ASE with molecules of the same atoms, whose rows have
data["dipole_moment"] in e Angstrom, "energy" and "forces", and optionally "total_charge" and
"spin_multiplicity". Molecules are rotated and reflected at random. Frames of rare electronic
states, which the positions do not determine, are identified by their energies and forces, and the
network gets this as an input. The script prints errors |predicted - true| of the vector on frames
that were not used for training, relative to the rms dipole (predicting zero gives 100 %): the rms,
the rms of common states, the mean, the median, and the 95th percentile; then the change of the
result under a rotation.
"""

import argparse
from itertools import permutations

import numpy as np
import torch
from ase.db import connect
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch.nn.functional import one_hot

from steerable.groups import O3
from steerable.models import Multipoles, PairNet

NEAR = 8  # the number of neighbouring frames
CONSISTENT = 1e-3  # eV; how far forces and a difference of energies may disagree
FEW = 0.05  # the share of frames below which a state is rare


def common_states(pos, energy, force, kind):
    """Which frames lie on energy surfaces that many share (frame,).

    E_b - E_a = -(F_a + F_b)(x_b - x_a) / 2 nearby.
    """
    swaps = [list(p) for p in permutations(range(len(kind))) if (kind[list(p)] == kind).all()]
    row, column = torch.triu_indices(len(kind), len(kind), 1)
    distances = [(pos[:, p][:, row] - pos[:, p][:, column]).norm(dim=2) for p in swaps]
    gaps = torch.stack([torch.cdist(distances[0], other, p=torch.inf) for other in distances])
    gap, swap = gaps.min(0)
    near = gap.fill_diagonal_(torch.inf).topk(NEAR, 1, largest=False).indices
    a, b = torch.arange(len(pos)).repeat_interleave(NEAR), near.flatten()
    order = torch.tensor(swaps)[swap[a, b]].unsqueeze(2).expand(-1, -1, 3)
    x, y = (part - part.mean(1, keepdim=True) for part in (pos[a], pos[b].gather(1, order)))
    u, _, v = torch.linalg.svd(y.mT @ x)  # the rotation or reflection that lays b on a
    work = ((force[a] + force[b].gather(1, order) @ u @ v) * (y @ u @ v - x)).sum((1, 2)) / 2
    joined = (energy[b] - energy[a] + work).abs() < CONSISTENT
    links = coo_matrix((np.ones(int(joined.sum())), (a[joined], b[joined])), (len(pos), len(pos)))
    surface = torch.from_numpy(connected_components(links, directed=False)[1]).long()
    return surface.bincount()[surface] > FEW * len(pos)


options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument("file", help="database of ASE")
options.add_argument("--steps", type=int, default=4000)
asked = options.parse_args()
torch.manual_seed(0)

rows = list(connect(asked.file).select())
z, pos = (
    torch.from_numpy(np.stack([getattr(row, name) for row in rows]))
    for name in ("numbers", "positions")
)
dipole = torch.from_numpy(np.stack([np.reshape(row.data["dipole_moment"], 3) for row in rows]))
states = [
    [np.ravel(row.data.get(name, 0))[0] for name in ("total_charge", "spin_multiplicity")]
    for row in rows
]
state = torch.tensor(np.array(states, np.float32))
energy, force = (
    torch.from_numpy(np.stack([row.data[name] for row in rows])).double()
    for name in ("energy", "forces")
)
common = torch.zeros(len(rows), dtype=torch.bool)
for value in state.unique(dim=0):
    same = (state == value).all(1)
    common[same] = common_states(pos[same], energy[same, 0], force[same], z[0])
state = torch.cat([state, (~common).float().unsqueeze(1)], 1)
turn = O3().sample(len(rows))
pos, dipole = (pos @ turn.mT).float(), (turn @ dipole.double().unsqueeze(2)).squeeze(2).float()
elements, kind = z.unique(return_inverse=True)
seen = torch.cat(
    [one_hot(kind, len(elements)).float(), state.unsqueeze(1).expand(-1, z.shape[1], -1)], -1
)


class Dipole(torch.nn.Module):
    """The sum over atoms of q_i r_i + m_i, with q_i and m_i read off features of pairs."""

    def __init__(self):
        super().__init__()
        self.pairs = PairNet(seen.shape[-1], "32x0e+16x1o", "32x0e+16x1o", layers=3, max_degree=1)
        self.moments = Multipoles(self.pairs.field_out)

    def forward(self, seen, pos, charge):
        batch = torch.arange(len(pos)).repeat_interleave(pos.shape[1])
        pos = pos.flatten(0, 1)
        return self.moments(
            self.pairs(seen.flatten(0, 1), pos, batch), pos, batch, len(charge), charge
        )[1]


shuffled = torch.randperm(len(rows))
test, train = shuffled[: len(rows) // 5], shuffled[len(rows) // 5 :]
rms = dipole[train].square().sum(1).mean().sqrt()
net = Dipole()
optimizer = torch.optim.Adam(net.parameters(), 5e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, 5e-3, total_steps=asked.steps, pct_start=0.1
)
for _ in range(asked.steps):
    some = train[torch.randint(len(train), (64,))]
    optimizer.zero_grad()
    loss = (net(seen[some], pos[some], state[some, 0]) - dipole[some]).square().sum(1).add(
        1e-6
    ).sqrt().mean() / rms
    loss.backward()
    optimizer.step()
    schedule.step()

g = O3().sample(1)[0].float()
with torch.no_grad():
    found, moved = (
        net(seen[test], pos[test] @ turn.T, state[test, 0]) for turn in (torch.eye(3), g)
    )
error = (found - dipole[test]).norm(dim=1) / rms
most, rare = common[test], int((~common[test]).sum())
print(f"elements {elements.tolist()}, rms dipole {rms:.4f} e A")
print(f"{len(test)} of {len(rows)} frames tested, {rare} of rare states")
print(
    f"error: rms {error.square().mean().sqrt():.2%}, of common states "
    f"{error[most].square().mean().sqrt():.2%}"
)
print(
    f"mean {error.mean():.2%}, median {error.median():.2%}, 95 % below {error.quantile(0.95):.2%}"
)
print(f"change under a rotation: {(moved - found @ g.T).abs().max() / rms:.0e}")
