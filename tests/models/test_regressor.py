"""The regressor: symmetries, sums over molecules, elements, precision."""

import copy

import pytest
import torch

from oracles.states import assert_refused
from steerable.certify import POSITIONS, Role, certify
from steerable.groups import O3, named_group
from steerable.models import Reference, Regressor, UnknownElementError

Z = torch.tensor([8, 1, 1, 6, 1, 1, 1, 1])
BATCH = torch.tensor([0, 0, 0, 1, 1, 1, 1, 1])
POS = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))


def network(**changes):
    torch.manual_seed(0)
    reference = Reference((1, 6, 8), (-1.0, -2.0, -3.0), scale=2.0)
    return Regressor(reference, hidden="8x0e+4x1o", layers=2, **changes)


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_invariant_in_both_precisions(dtype, limit):
    inputs = [(Z, Role()), (POS, POSITIONS), (BATCH, Role())]
    report = certify(network(), inputs, Role("graph"), dtype=dtype)
    assert report.error < limit, report


def test_a_batch_equals_its_molecules():
    model = network().double()
    apart = [model(Z[g == BATCH], POS[g == BATCH].double()) for g in range(2)]
    torch.testing.assert_close(model(Z, POS.double(), BATCH), torch.cat(apart))


def test_one_atom_two_atoms_in_one_place_and_none():
    model = network()
    assert torch.isfinite(model(Z[:1], POS[:1])).all()
    assert torch.isfinite(model(Z[:2], torch.zeros(2, 3))).all()
    assert model(Z[:0], POS[:0]).shape == (1,)


def test_forces_are_smooth_at_the_cutoff():
    model = network(cutoff=2.0).double()
    pos = torch.zeros(2, 3, dtype=torch.float64)
    values = []
    for distance in (2 - 1e-5, 2 + 1e-5):
        pos[1, 0] = distance
        p = pos.clone().requires_grad_(True)
        values.append(
            torch.autograd.grad(
                model(Z[:2], p).sum(), p, allow_unused=True, materialize_grads=True
            )[0]
        )
    torch.testing.assert_close(*values, atol=1e-6, rtol=0)


def test_unknown_elements():
    with pytest.raises(
        UnknownElementError, match=r"knows the elements \[1, 6, 8\] \(atomic numbers\); got \[7\]"
    ):
        network()(torch.tensor([7]), torch.zeros(1, 3))


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (
            (Z[:7], POS, BATCH),
            r"numbers of 8 positions, integers \(atom,\); got torch.int64 \(7,\)",
        ),
        ((Z.float(), POS, BATCH), "got torch.float32"),
        ((Z, POS, BATCH[:7]), r"molecule of every atom \(8,\); got \(7,\)"),
        ((Z, POS, BATCH, None, 1), "molecules up to number 1; size is 1"),
    ],
)
def test_atoms_that_do_not_fit(inputs, text):
    with pytest.raises(ValueError, match=text):
        network()(*inputs)


@pytest.mark.parametrize(
    ("group", "hidden", "filter_field"),
    [("SO(3)", "8x0e+4x1o", "0e+1o"), ("Cinfv", "8x0+4x2", "0+2"), ("C3v", "8x0+2x1+4x2", "0+1+2")],
)
def test_any_group_by_its_name(group, hidden, filter_field):
    torch.manual_seed(0)
    model = Regressor(
        Reference((1, 6, 8)), hidden=hidden, layers=2, group=group, filter_field=filter_field
    )
    inputs = [(Z, Role()), (POS, POSITIONS), (BATCH, Role())]
    chosen = named_group(group)
    assert (
        certify(model, inputs, Role("graph"), chosen, elements=5, dtype=torch.float64).error < 1e-10
    )
    broken = certify(model, inputs, Role("graph"), O3(), elements=5, dtype=torch.float64).error
    assert group == "SO(3)" or broken > 1e-6


ELEMENTS = (1, 6, 8)
ENERGIES = (-16.492031482938, -1036.273148263741, -2043.615920384712)  # eV, about those of atoms
CASTS = {
    "float": lambda model: model.float(),
    "half": lambda model: model.half(),
    "bfloat16": lambda model: model.bfloat16(),
    "to": lambda model: model.to("cpu", torch.float32),
    "there and back": lambda model: model.half().double().float(),
    "copy": lambda model: copy.deepcopy(model).float(),
    "in a list": lambda model: torch.nn.ModuleList([model]).float()[0],
}


def energies(**changes):
    torch.manual_seed(0)
    reference = Reference(ELEMENTS, ENERGIES, shift=-0.123456789012, scale=1.234567890123)
    return Regressor(reference, hidden="8x0e+4x1o", layers=2, **changes)


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS)
def test_reference_energies_stay_float64(cast):
    model = cast(energies())
    dtype = next(model.parameters()).dtype
    assert model.reference.tolist() == list(ENERGIES)
    assert model.statistics.tolist() == [-0.123456789012, 1.234567890123]
    if dtype == torch.float32:
        with torch.no_grad():
            model.head[-1].weight.zero_()
            model.head[-1].bias.zero_()
        wanted = -0.123456789012 + ENERGIES[2] + 2 * ENERGIES[0]
        result = model(Z[:3], POS[:3])
        assert result.dtype == torch.float64
        assert abs(result.item() - wanted) < 1e-9


def test_states_have_the_keys_of_before_and_are_read_in_any_precision():
    model = energies().float()
    state = model.state_dict()
    assert {"reference", "statistics"} <= set(state)
    other = network().float()
    other.load_state_dict(state)
    assert other.reference.equal(model.reference) and other.reference.dtype == torch.float64
    rounded = state | {"reference": state["reference"].float()}
    other.load_state_dict(rounded)
    assert other.reference.dtype == torch.float64


@pytest.mark.parametrize("apart", [True, False], ids=["batch", "one graph"])
def test_copies_far_apart_have_as_many_times_the_energy(apart):
    """To 1e-9, by a network in float32: 500 copies of a molecule, far from each other."""
    model, copies = energies(), 500
    torch.nn.init.normal_(model.head[-1].bias)
    model.statistics[0] = 0.0
    z, pos = Z[:3], POS[:3]
    places = torch.zeros(copies, 1, 3)
    places[:, 0, 0] = 0.0 if apart else 64.0 * torch.arange(copies)  # exact in float32
    # Coordinates that far away hold multiples of 2^-8 exactly.
    pos = (pos * 256).round() / 256
    many = (pos + places).view(-1, 3)
    with torch.no_grad():
        one = model(z, pos)
        batch = torch.arange(copies).repeat_interleave(3) if apart else None
        total = model(z.repeat(copies), many, batch).sum()
    assert abs(total / copies / one - 1) < 1e-9


@pytest.mark.parametrize(
    ("elements", "pool"), [((8, 6, 1), "sum"), ((1, 6, 9), "sum"), ((1, 6, 8), "mean")]
)
@pytest.mark.parametrize("kernel", ["implicit", "bonds", "ends"])
def test_states_for_other_elements_or_another_pool_are_refused(elements, pool, kernel):
    ours = Regressor(Reference((1, 6, 8)), "4x0e", 1, kernel=kernel)
    other = Regressor(Reference(elements, pool=pool), "4x0e", 1, kernel=kernel)
    assert_refused(ours, other.state_dict())


def test_references_stay_in_float64_whatever_is_loaded():
    model, state = network(), network().state_dict()
    rounded = {name: t.float() if t.is_floating_point() else t for name, t in state.items()}
    model.load_state_dict(rounded, assign=True)
    assert model.reference.dtype == model.statistics.dtype == torch.float64
    assert model(Z, POS, BATCH).dtype == torch.float64
    halved = {name: t.bfloat16() if t.is_floating_point() else t for name, t in state.items()}
    with pytest.raises(RuntimeError, match="reference needs float32 or float64"):
        model.load_state_dict(halved)


SETTINGS = [
    {},
    {"density_degree": 2},
    {"density_degree": 0},
    {"last": "all"},
    {"products": False},
    {"norm": True},
    {"element_weights": True},
    {"kernel": "ends"},
    {"contraction": "full", "filter_channels": 4},
]


@pytest.mark.parametrize("changes", SETTINGS, ids=str)
def test_every_weight_is_read_and_the_symmetry_kept(changes):
    """No weight is without a gradient, and the certificate holds for weights that are not 0."""
    model = network(**changes).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model(Z, POS.double(), BATCH).square().sum().backward()
    silent = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().max()]
    assert silent == []
    inputs = [(Z, Role()), (POS, POSITIONS), (BATCH, Role())]
    assert certify(model, inputs, Role("graph"), dtype=torch.float64).error < 1e-10


def test_element_weights_tell_elements_apart():
    model = network(element_weights=True).double()
    before = model(Z, POS.double(), BATCH)
    with torch.no_grad():
        model.blocks[0].modulation.weight[0] += 1.0  # of hydrogen
    change = (model(Z, POS.double(), BATCH) - before).abs()
    assert (change > 1e-6).all()
    alone = network(element_weights=True).double()
    first = alone(Z[:1], POS[:1].double())
    with torch.no_grad():
        alone.blocks[0].modulation.weight[0] += 1.0
    assert torch.equal(alone(Z[:1], POS[:1].double()), first)  # oxygen


def test_settings_that_make_products_meaningless_say_so():
    with pytest.raises(ValueError, match="8x0e has none. Add other irreps to model.hidden, or set"):
        Regressor(Reference((1, 6, 8)), hidden="8x0e", density_degree=0)


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("last", ["all", "invariants"])
def test_one_density_is_a_network(degree, last):
    """Its head reads all features of the density, which has more irreps than `hidden`."""
    model = Regressor(Reference((1, 6, 8)), "8x0e", 1, density_degree=degree, last=last)
    assert model(Z, POS, BATCH).shape == (2,)
