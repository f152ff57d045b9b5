"""PropertyNet: every kind of head under symmetries, in batches, in crystals, with its inputs."""

import itertools
import json

import pytest
import torch

from oracles.states import assert_refused
from steerable.certify import certify
from steerable.groups import O3, named_group
from steerable.models import (
    HeadSettings,
    PropertyNet,
    PropertySettings,
    UnknownElementError,
    build_property,
)
from steerable.settings import ConfigError

DOUBLE = torch.float64
ELEMENTS = (1, 6, 8)
Z = torch.tensor([8, 1, 1, 6, 1, 1, 1, 1])
BATCH = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1])
POS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)

ENERGIES = (-16.492031482938, -1036.273148263741, -2043.615920384712)
HEADS = {
    "energy": HeadSettings("energy", reference=ENERGIES, shift=-0.5, scale=2.0),
    "gap": HeadSettings("gap", pool="mean", shift=3.0),
    "score": HeadSettings("score", pool="attention"),
    "charges": HeadSettings("charges", per="atom", reference=(1.0, 2.0, 3.0), scale=(1.0, 2.0, 3)),
    "field": HeadSettings("field", "vector", pool="mean"),
    "dipole": HeadSettings("dipole", "vector", charges=True),
    "forces": HeadSettings("forces", "vector", per="atom", scale=(1.0, 2.0, 3.0)),
    "alpha": HeadSettings("alpha", "tensor", reference=(1.0, 2.0, 3.0), shift=0.5),
    "stress": HeadSettings("stress", "tensor", symmetric=False, pool="attention"),
    "shielding": HeadSettings("shielding", "tensor", per="atom", symmetric=False),
    "family": HeadSettings("family", "class", pool="attention", classes=3),
    "tests": HeadSettings("tests", "labels", pool="mean", classes=2),
}
PERIODIC = [name for name, head in HEADS.items() if not head.charges]


def network(*names, dtype=DOUBLE, **changes):
    """A small network whose weights are all different from those at the start."""
    torch.manual_seed(0)
    small = {"hidden": "8x0e+4x1o+4x2e+4x1e", "filter_field": "0e+1o+2e", "layers": 2}
    settings = PropertySettings(**(small | {"filter_channels": 4, "cutoff": 4.0} | changes))
    heads = [HEADS[name] for name in names or HEADS]
    model = PropertyNet(ELEMENTS, heads, settings, neighbours=4.0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.to(dtype)


def silent(model):
    """The network with heads that learned nothing."""
    with torch.no_grad():
        for head in model.heads:
            for parameter in head.parameters():
                parameter.zero_()
    return model


def turned(value, head, g):
    """The value of a head in a structure that was turned by `g`."""
    if head.kind == "vector":
        return value @ g.T
    return g @ value @ g.T if head.kind == "tensor" else value


def close(a, b, limit=1e-10):
    torch.testing.assert_close(a, b, atol=limit, rtol=limit)


def test_every_head_turns_with_the_atoms_whatever_their_place_and_order():
    """Against the definition: g v for vectors, g T g^T for tensors, with reflections."""
    model, generator = network(), torch.Generator().manual_seed(1)
    values = model(Z, POS, BATCH)
    for g in O3().sample(4, generator):
        order = torch.randperm(8, generator=generator)
        place = torch.randn(2, 3, generator=generator, dtype=DOUBLE)[BATCH]
        moved = model(Z[order], (POS @ g.T + place)[order], BATCH[order])
        for name, head in HEADS.items():
            wanted = turned(values[name], head, g)
            close(moved[name], wanted[order] if head.per == "atom" else wanted)


@pytest.mark.parametrize("name", HEADS)
def test_values_have_the_shape_of_their_head_and_vary(name):
    head = HEADS[name]
    value = network()(Z, POS, BATCH)[name]
    assert value.shape == ((8 if head.per == "atom" else 2), *head.shape)
    assert value.dtype == DOUBLE
    assert value.std() > 1e-3
    if head.kind == "tensor":
        difference = (value - value.mT).abs().max()
        assert (difference < 1e-12) == head.symmetric


@pytest.mark.parametrize(("dtype", "limit"), [(DOUBLE, 1e-10), (torch.float32, 2e-5)])
def test_the_claim_holds_in_both_precisions(dtype, limit):
    claim = network().certifiable(Z, POS, BATCH)
    assert claim.output.keys() == HEADS.keys()

    class Selected(torch.nn.Module):
        def __init__(self, name):
            super().__init__()
            self.function, self.name = claim.function, name

        def forward(self, *inputs):
            return self.function(*inputs)[self.name]

    for name, role in claim.output.items():
        report = certify(Selected(name), claim.inputs, role, claim.group, 1, dtype=dtype)
        assert report.error < limit, (name, report)


def test_a_batch_equals_its_structures():
    model = network()
    values = model(Z, POS, BATCH, size=3)
    apart = [model(Z[g == BATCH], POS[g == BATCH]) for g in range(2)]
    for name, head in HEADS.items():
        value = values[name] if head.per == "atom" else values[name][:2]
        close(value, torch.cat([part[name] for part in apart]))
        assert values[name].isfinite().all()  # structure 2 has no atoms


# --- crystals


CELL = torch.tensor([[3.0, 0.2, 0.0], [0.4, 3.5, 0.3], [-0.2, 0.1, 4.0]], dtype=DOUBLE)
CRYSTAL = torch.tensor([8, 1, 6])
PLACES = torch.rand(3, 3, generator=torch.Generator().manual_seed(2), dtype=DOUBLE)


def images(pos, cell, cutoff):
    """Pairs of neighbours by trying all images of a few cells around."""
    source, target = torch.meshgrid(torch.arange(len(pos)), torch.arange(len(pos)), indexing="ij")
    edges, shifts = [], []
    for s in itertools.product(range(-4, 5), repeat=3):
        shift = torch.tensor(s, dtype=DOUBLE)
        distance = (pos[source] + shift @ cell - pos[target]).norm(dim=2)
        near = (distance < cutoff) & ((source != target) | bool(shift.any()))
        edges.append(torch.stack([source[near], target[near]]))
        shifts.append(shift.expand(edges[-1].shape[1], 3))
    return torch.cat(edges, 1), torch.cat(shifts)


def crystal(model, z, pos, cell):
    edge_index, shift = images(pos, cell, model.cutoff)
    return model(z, pos, cell=cell, edge_index=edge_index, shift=shift)


@pytest.mark.parametrize("counts", [(2, 1, 1), (1, 2, 2)])
def test_a_supercell_has_the_values_of_its_cell(counts):
    """Per atom and intensive values are the same, extensive ones as many times larger."""
    model, pos = network(*PERIODIC), PLACES @ CELL
    steps = torch.cartesian_prod(*[torch.arange(float(n)).double() for n in counts])
    larger = (pos + (steps @ CELL).unsqueeze(1)).flatten(0, 1)
    copies = len(steps)
    one = crystal(model, CRYSTAL, pos, CELL)
    many = crystal(
        model, CRYSTAL.repeat(copies), larger, CELL * torch.tensor(counts).double().unsqueeze(1)
    )
    for name in PERIODIC:
        head = HEADS[name]
        if head.per == "atom":
            close(many[name], one[name].repeat(copies, *[1] * (one[name].dim() - 1)))
        elif head.pool == "sum":
            shift = torch.tensor(head.shift, dtype=DOUBLE)
            unit = shift * torch.eye(3, dtype=DOUBLE) if head.kind == "tensor" else shift
            close((many[name] - unit) / copies, one[name] - unit)
        else:
            close(many[name], one[name])


def test_crystals_turn_and_atoms_may_stand_in_any_image():
    model, pos = network(*PERIODIC), PLACES @ CELL
    one = crystal(model, CRYSTAL, pos, CELL)
    g = O3().sample(2, torch.Generator().manual_seed(3))
    steps = torch.tensor([[1.0, 0, -1], [0, 0, 0], [0, 2, 0]], dtype=DOUBLE)
    other = crystal(model, CRYSTAL, pos + steps @ CELL, CELL)
    for name in PERIODIC:
        close(other[name], one[name])
    for turn in g:
        moved = crystal(model, CRYSTAL, pos @ turn.T, CELL @ turn.T)
        for name in PERIODIC:
            close(moved[name], turned(one[name], HEADS[name], turn))


def test_molecules_and_crystals_in_one_batch():
    model, pos = network(*PERIODIC), PLACES @ CELL
    alone = model(Z[:3], POS[:3]), crystal(model, CRYSTAL, pos, CELL)
    cells = torch.stack([torch.zeros(3, 3, dtype=DOUBLE), CELL])
    pbc = torch.tensor([[False] * 3, [True] * 3])
    batch = torch.tensor([0, 0, 0, 1, 1, 1])
    both = model(torch.cat([Z[:3], CRYSTAL]), torch.cat([POS[:3], pos]), batch, cells, pbc)
    for name in PERIODIC:
        close(both[name], torch.cat([part[name] for part in alone]))


def test_the_claim_of_a_crystal_turns_its_cell():
    model, pos = network("energy", "stress"), PLACES @ CELL
    edge_index, shift = images(pos, CELL, model.cutoff)
    batch = torch.zeros(3, dtype=torch.long)
    claim = model.certifiable(
        CRYSTAL, pos, batch, cell=CELL, edge_index=edge_index, shift=shift, charge=None
    )
    for name, role in claim.output.items():
        report = certify(
            lambda *inputs, name=name: claim.function(*inputs)[name],
            claim.inputs,
            role,
            claim.group,
            elements=3,
        )
        assert report.error < 1e-10, (name, report)


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"cell": CELL}, "a cell and pbc.*Got cell alone"),
        ({"pbc": torch.ones(3, dtype=torch.bool)}, "Got pbc alone"),
        ({"cell": CELL, "edge_index": torch.zeros(2, 0, dtype=torch.long)}, "Shifts count cells"),
    ],
)
def test_a_cell_that_would_be_ignored(inputs, text):
    with pytest.raises(ValueError, match=text):
        network("energy")(CRYSTAL, PLACES @ CELL, **inputs)


def test_dipoles_of_charges_have_no_meaning_in_crystals():
    with pytest.raises(ValueError, match="Dipoles of point charges depend on the cell"):
        network("dipole")(CRYSTAL, PLACES @ CELL, cell=CELL, pbc=torch.ones(3, dtype=torch.bool))


# --- charge and spin


WAYS = [{}, {"element_weights": True}, {"density_degree": 0, "hidden": "8x0e+4x1o+4x2e"}]


@pytest.mark.parametrize("changes", WAYS, ids=str)
def test_charge_and_spin_change_every_value(changes):
    model = network("energy", "charges", "alpha", charge=True, spin=True, **changes)
    inputs = {"charge": torch.tensor([0, 1]), "spin": torch.tensor([1, 2])}
    values = model(Z, POS, BATCH, **inputs)
    for name, value in inputs.items():
        other = model(Z, POS, BATCH, **(inputs | {name: value + torch.tensor([0, 1])}))
        for head in values:
            change = (other[head] - values[head]).abs().view(len(values[head]), -1).amax(1)
            is_other = (BATCH if head == "charges" else torch.arange(2)) == 1
            assert (change[is_other] > 1e-6).all()
            assert (change[~is_other] == 0).all()


def test_a_lone_ion_differs_from_its_atom():
    model = network("energy", charge=True)
    values = [model(Z[:1], POS[:1], charge=torch.tensor([q]))["energy"] for q in (0, 1)]
    assert abs(values[0] - values[1]) > 1e-6


@pytest.mark.parametrize(
    ("changes", "inputs", "text"),
    [
        ({}, {"charge": torch.zeros(2)}, "does not take the charge.*model.charge=true"),
        ({"charge": True}, {"charge": torch.zeros(2), "spin": torch.ones(2)}, "take the spin"),
        ({"charge": True}, {}, r"takes the charge of every structure, \(2,\); got none"),
        ({"spin": True}, {"spin": torch.ones(3)}, r"takes the spin .* \(2,\); got \(3,\)"),
    ],
)
def test_states_that_are_not_taken_or_missing(changes, inputs, text):
    with pytest.raises(ValueError, match=text):
        network("energy", **changes)(Z, POS, BATCH, **inputs)


def test_the_charge_of_a_dipole_has_a_number_for_each_structure():
    with pytest.raises(ValueError, match=r"takes the charge .* \(2,\); got \(\)"):
        network("dipole")(Z, POS, BATCH, charge=torch.tensor(1.0))


# --- references


def test_references_are_exact_in_float32():
    heads = ("energy", "charges", "alpha", "gap")
    values = silent(network(*heads, dtype=torch.float32))(Z, POS.float(), BATCH)
    water, methane = ENERGIES[2] + 2 * ENERGIES[0], ENERGIES[1] + 4 * ENERGIES[0]
    wanted = torch.tensor([water - 0.5, methane - 0.5], dtype=DOUBLE)
    torch.testing.assert_close(values["energy"], wanted, atol=1e-12, rtol=0)
    atoms = torch.tensor([3.0, 1, 1, 2, 1, 1, 1, 1], dtype=DOUBLE)
    torch.testing.assert_close(values["charges"], atoms, atol=1e-12, rtol=0)
    unit = torch.eye(3, dtype=DOUBLE)
    torch.testing.assert_close(values["alpha"], torch.stack([5.5 * unit, 6.5 * unit]))
    torch.testing.assert_close(values["gap"], torch.full((2,), 3.0, dtype=DOUBLE))


@pytest.mark.parametrize("pool", ["mean", "attention"])
def test_references_of_intensive_targets_are_averaged(pool):
    head = HeadSettings("energy per atom", pool=pool, reference=(1.0, 2.0, 4.0), shift=0.5)
    model = silent(PropertyNet(ELEMENTS, [head], PropertySettings(layers=1)))
    value = model(Z, POS.float(), BATCH)["energy per atom"]
    torch.testing.assert_close(value, torch.tensor([2.5, 1.7], dtype=DOUBLE))


def test_attention_is_a_mean_with_weights():
    """Equal values of atoms come out as they are, whatever the weights."""
    model = network("score")
    with torch.no_grad():
        model.heads[0].readout[-1].weight.zero_()
    value = model(Z, POS, BATCH)["score"]
    close(value, model.heads[0].readout[-1].bias.detach().expand(2))


@pytest.mark.parametrize("total", [None, torch.tensor([1.0, -0.5], dtype=DOUBLE)], ids=str)
def test_dipoles_are_sums_over_charges_and_dipoles_of_atoms(total):
    model, seen = network("dipole"), []
    model.heads[0].readout.register_forward_hook(lambda *call: seen.append(call[2]))
    value = model(Z, POS, BATCH, charge=total)["dipole"]
    q, m = seen[0]
    for g in range(2):
        rows = g == BATCH
        charges = q[rows]
        if total is not None:
            charges = charges + (total[g] - charges.sum()) / rows.sum()
        r = POS[rows] - POS[rows].mean(0)
        close(value[g], (charges.unsqueeze(1) * r + m[rows]).sum(0))


# --- weights, states, settings


@pytest.mark.parametrize("name", HEADS)
def test_every_weight_is_read(name):
    model = network(name, charge=True, hidden=None, filter_channels=2)
    model(Z, POS, BATCH, charge=torch.ones(2))[name].square().sum().backward()
    unread = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().max()]
    assert unread == []


def test_a_network_is_built_from_json():
    model = network("energy", "charges", "alpha")
    plain = {
        "elements": list(ELEMENTS),
        "heads": [head.settings.plain() for head in model.heads],
        "neighbours": 4.0,
        "hidden": "8x0e+4x1o+4x2e+4x1e",
        "filter_field": "0e+1o+2e",
        "layers": 2,
        "filter_channels": 4,
        "cutoff": 4.0,
    }
    other = build_property(**json.loads(json.dumps(plain))).double()
    other.load_state_dict(model.state_dict())
    values = model(Z, POS, BATCH)
    for name, value in other(Z, POS, BATCH).items():
        assert value.equal(values[name])


@pytest.mark.parametrize(
    ("elements", "head"),
    [
        ((8, 6, 1), HeadSettings("gap", pool="mean")),
        (ELEMENTS, HeadSettings("gap")),
        (ELEMENTS, HeadSettings("homo", pool="mean")),
    ],
)
def test_states_of_another_meaning_are_refused(elements, head):
    settings = PropertySettings(hidden="4x0e", layers=1)
    ours = PropertyNet(ELEMENTS, [HeadSettings("gap", pool="mean")], settings)
    other = PropertyNet(elements, [head], settings)
    assert_refused(ours, other.state_dict())


@pytest.mark.parametrize("group", ["SO(3)", "Cinfv", "C3v"])
@pytest.mark.parametrize("layers", [1, 2])
def test_any_group_of_space_by_its_name(group, layers):
    torch.manual_seed(0)
    heads = [HEADS["energy"], HEADS["dipole"], HEADS["alpha"], HEADS["forces"]]
    settings = PropertySettings(group=group, layers=layers, filter_channels=2)
    model = PropertyNet(ELEMENTS, heads, settings, 4.0).double()
    values = model(Z, POS, BATCH)
    for g in named_group(group).sample(2, torch.Generator().manual_seed(0)):
        moved = model(Z, POS @ g.T, BATCH)
        for head in heads:
            close(moved[head.name], turned(values[head.name], head, g))


def test_settings_are_chosen_by_the_heads():
    chosen = PropertySettings().backbone([HEADS["energy"]])
    assert (chosen.hidden, chosen.filter_field) == ("64x0e+32x1o", "0e+1o")
    assert (chosen.density_degree, chosen.last) == (1, "invariants")
    chosen = PropertySettings().backbone([HEADS["energy"], HEADS["forces"]])
    assert (chosen.hidden, chosen.last) == ("64x0e+32x1o", "all")
    chosen = PropertySettings().backbone([HEADS["alpha"]])
    assert (chosen.hidden, chosen.filter_field) == ("64x0e+32x1o+16x2e", "0e+1o+2e")
    assert (chosen.density_degree, chosen.last) == (2, "all")
    chosen = PropertySettings().backbone([HEADS["stress"]])
    assert chosen.hidden == "64x0e+32x1o+16x2e+16x1e"


@pytest.mark.parametrize(
    ("name", "changes", "text"),
    [
        ("forces", {"hidden": "8x0e", "layers": 2}, "'forces' .* needs features 1o"),
        ("alpha", {"hidden": "8x0e+4x1o"}, "needs features 2e.*Add 2e to model.hidden"),
        ("stress", {"layers": 1}, "needs features 1e"),
        ("alpha", {"group": "O(2)"}, "model.group is a group of space"),
        ("gap", {"layers": 0}, "model.layers"),
    ],
)
def test_features_that_the_backbone_does_not_make(name, changes, text):
    with pytest.raises(ConfigError, match=text):
        PropertyNet(ELEMENTS, [HEADS[name]], PropertySettings(**changes))


@pytest.mark.parametrize(
    ("heads", "text"),
    [
        ([], "one head or more"),
        ([HEADS["gap"], HEADS["gap"]], r"name of its own; got \['gap', 'gap'\]"),
        ([HeadSettings("x", reference=(1.0,))], "each of the 3 elements; got 1 and 1"),
    ],
)
def test_heads_that_do_not_fit(heads, text):
    with pytest.raises(ConfigError, match=text):
        PropertyNet(ELEMENTS, heads, PropertySettings(hidden="4x0e+2x1o", layers=1))


def test_unknown_elements():
    with pytest.raises(UnknownElementError, match=r"knows the elements \[1, 6, 8\]"):
        network("energy")(torch.tensor([7]), torch.zeros(1, 3))


def test_an_exported_network_gives_the_same_values():
    model = network("energy", "forces", "stress", charge=True).eval()
    edges = model.edges(POS, BATCH).index
    arguments = {"edge_index": edges, "charge": torch.tensor([0.0, 1.0]), "size": 2}
    program = torch.export.export(model, (Z, POS, BATCH), arguments)
    values = model(Z, POS, BATCH, **arguments)
    for name, value in program.module()(Z, POS, BATCH, **arguments).items():
        close(value, values[name])
