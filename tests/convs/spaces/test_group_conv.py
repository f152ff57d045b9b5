"""GConv and LocalGConv against sums over the group, and their special cases.

Rotations, sets, regular convolutions.
"""

import copy
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from steerable.convs.spaces.group_conv import GConv, LocalGConv
from steerable.convs.spaces.signals import HomSignals
from steerable.field import FieldMismatchError
from steerable.groups import (
    O2,
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    Restricted,
    axial,
    cyclic,
    dihedral,
    irrep,
    irreps,
    point_group,
    regular,
    rotation,
    trivial,
)
from steerable.groups.cosets import coset_quadrature
from steerable.groups.homogeneous import HomSpace
from steerable.groups.permutations.groups import PermutationGroup
from steerable.groups.permutations.permutations import permutation_matrices
from steerable.groups.permutations.symmetric import SymmetricGroup, YoungSubgroup

PAGE = Path(__file__).parents[3] / "docs" / "homogeneous_spaces.md"

POLAR = axial("Cinf", (0, 1, 0))
MIRRORS = axial("Cinfv", (0, 1, 0))
C3 = Group.from_generators([rotation(2 * np.pi / 3, (1, 1, 1))], "C3")
(TANGENT,) = (r for r in irreps(MIRRORS, 1) if r.dim == 2)
THREE_OF_FOUR = YoungSubgroup((3, 1))
S4, D2, C4, T, O = (
    SymmetricGroup(4),
    point_group("D2"),
    cyclic(4),
    point_group("T"),
    point_group("O"),
)

FINITE = [
    (HomSpace(cyclic(8), trivial(2)), HomSpace(cyclic(8), trivial(2))),
    (
        HomSpace(cyclic(8), C4, irrep(C4, "1")),
        HomSpace(cyclic(8), cyclic(2), irrep(cyclic(2), "1")),
    ),
    (
        HomSpace(dihedral(4), dihedral(1), irrep(dihedral(1), "1")),
        HomSpace(dihedral(4), C4, irrep(C4, "1")),
    ),
    (HomSpace(dihedral(4), trivial(2)), HomSpace(dihedral(4), dihedral(1))),
    (HomSpace(T, C3, irrep(C3, "1")), HomSpace(T, C3, irrep(C3, "1"))),
    (HomSpace(T, C3, irrep(C3, "1")), HomSpace(T, D2, Restricted(D2, irrep(SO3(), "1")))),
    (HomSpace(O, point_group("C4")), HomSpace(O, D2)),
    (
        HomSpace(S4, PermutationGroup([(1, 2, 0, 3)])),
        HomSpace(S4, PermutationGroup([(1, 2, 3, 0)])),
    ),
    (
        HomSpace(S4, YoungSubgroup((2, 2))),
        HomSpace(S4, THREE_OF_FOUR, Restricted(THREE_OF_FOUR, S4.irrep("(3,1)"))),
    ),
]
INFINITE = [
    (HomSpace(SO3(), POLAR, max_degree=2), HomSpace(SO3(), trivial(), max_degree=2)),
    (HomSpace(SO3(), POLAR, irrep(POLAR, "1"), 3), HomSpace(SO3(), POLAR, irrep(POLAR, "2"), 3)),
    (
        HomSpace(SO3(), D2, Restricted(D2, irrep(SO3(), "1")), 4),
        HomSpace(SO3(), point_group("T"), max_degree=4),
    ),
    (HomSpace(O3(), MIRRORS, TANGENT, 2), HomSpace(O3(), O3(), irrep(O3(), "1o"), 2)),
    (HomSpace(SO2(), cyclic(2), max_degree=4), HomSpace(SO2(), trivial(2), max_degree=5)),
    (
        HomSpace(O2(), trivial(2), max_degree=3),
        HomSpace(O2(), dihedral(1, angle=0.3), max_degree=4),
    ),
]
PAIRS = FINITE + INFINITE


def pair_name(pair):
    return f"{pair[0]} to {pair[1]}"


def draw(group, count=4, seed=0):
    """Matrices (count, d, d) of random elements."""
    drawn = group.sample(count, torch.Generator().manual_seed(seed)).numpy()
    return drawn if drawn.ndim == 3 else permutation_matrices(drawn)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def values(space, x, channels, elements):
    """The fields with coefficients x at elements of G, from the definition.

    They are (batch, channels, element, dim sigma).
    """
    found, start = 0, 0
    for r, matrices in space.isometries.items():
        copies = matrices.shape[1]
        part = x[:, start : start + channels * copies * r.dim].view(len(x), channels, copies, r.dim)
        rho = torch.from_numpy(r.matrices(elements))
        found = found + r.dim**0.5 * torch.einsum(
            "jms,gij,bcmi->bcgs", torch.from_numpy(matrices), rho, part
        )
        start += channels * copies * r.dim
    return found


def act(field, element, x):
    """rho(g) of every irrep on its copies."""
    parts = []
    for term, place in zip(field, field.slices(), strict=True):
        rho = torch.from_numpy(term.irrep.matrices(element[None])[0]).to(x)
        parts.append((x[..., place].unflatten(-1, (-1, term.irrep.dim)) @ rho.T).flatten(-2))
    return torch.cat(parts, -1)


def taps_of(pair):
    """Elements that make independent taps: one of every double coset, or some at random."""
    group = pair[0].group
    count = 1 if pair[1].subgroup == group else 2
    return None if group.order is not None else draw(group, count, seed=5)


def layers(pair, channels=(2, 3), seed=0):
    """Both layers in float64, with biases that are not 0."""
    torch.manual_seed(seed)
    made = (
        GConv(*pair, *channels).double(),
        LocalGConv(*pair, *channels, elements=taps_of(pair)).double(),
    )
    for bias in (made[0].linear.bias, made[1].bias):
        if bias is not None:
            torch.nn.init.normal_(bias)
    return made


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_equivariant(pair):
    for layer in layers(pair):
        x = normal(5, layer.field_in.dim)
        for element in draw(pair[0].group):
            wanted = act(layer.field_out, element, layer(x))
            torch.testing.assert_close(
                layer(act(layer.field_in, element, x)), wanted, atol=1e-12, rtol=0
            )


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_the_sum_over_the_group(pair):
    """y(g) = mean over u in G of kappa(u) f(g u); for infinite groups by an exact quadrature."""
    layer, (space_in, space_out) = layers(pair)[0], pair
    group = space_in.group
    degree = max(space_in.max_degree or 0, space_out.max_degree or 0)
    if group.order is not None:
        u, weights = group.representatives, np.full(group.order, 1 / group.order)
    else:
        u, weights = coset_quadrature(group, trivial(group.dim), degree)
    x, g = normal(2, layer.field_in.dim), draw(group, 3)
    kernel = layer.kernel(u) * torch.from_numpy(weights)[:, None, None, None, None]
    moved = (g[:, None] @ u).reshape(-1, group.dim, group.dim)
    f = values(space_in, x, 2, moved).unflatten(2, (3, len(u)))
    wanted = torch.einsum("uopci,bcgui->bogp", kernel, f)
    found = values(space_out, layer(x) - layer(0 * x), 3, g)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_taps_are_means_over_the_stabiliser(pair):
    """y(g) = sum of w_p mean over k in K of sigma_out(k) X_p f(g k v_p)."""
    layer, (space_in, space_out) = layers(pair)[1], pair
    K, degree = space_out.subgroup, max(space_in.max_degree or 0, space_out.max_degree or 0)
    if K.order is not None:
        k, weights = K.representatives, np.full(K.order, 1 / K.order)
    else:
        k, weights = coset_quadrature(K, trivial(K.dim), degree)
    x, g = normal(2, layer.field_in.dim), draw(space_in.group, 3)
    averaged = torch.from_numpy(weights[:, None, None] * space_out.sigma.matrices(k))
    wanted = 0
    for tap, weight in zip(layer.taps, layer.weight, strict=True):
        at = (g[:, None] @ k @ layer.elements[tap.element]).reshape(-1, *g.shape[1:])
        f = values(space_in, x, 2, at).unflatten(2, (3, len(k)))
        wanted = wanted + torch.einsum(
            "kop,pi,bcgki,dc->bdgo", averaged, torch.from_numpy(tap.matrix), f, weight
        )
    found = values(space_out, layer(x) - layer(0 * x), 3, g)
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)


@pytest.mark.parametrize("pair", FINITE, ids=pair_name)
def test_weights_are_the_maps_of_induced_representations(pair):
    """As many as brute force finds in the null space of the action on all coefficients.

    Both layers span them.
    """
    spectral, local = layers(pair, (1, 1))
    a, b = spectral.field_in, spectral.field_out
    eye = torch.eye(a.dim, dtype=torch.float64), torch.eye(b.dim, dtype=torch.float64)
    constraints = []
    for element in draw(pair[0].group):
        rho = (
            act(field, element, one).contiguous() for field, one in zip((a, b), eye, strict=True)
        )
        left, right = rho  # transposed: rows are rho(g) e_k
        constraints.append(torch.kron(right.T.contiguous(), eye[0]) - torch.kron(eye[1], left))
    free = a.dim * b.dim - int(torch.linalg.matrix_rank(torch.cat(constraints), atol=1e-9))
    assert local.weight.shape == (free, 1, 1) and spectral.linear.weight.numel() == free
    rows = []
    for layer, weight in ((spectral, spectral.linear.weight), (local, local.weight)):
        for k in range(free):
            with torch.no_grad():
                weight.zero_()
                weight.view(-1)[k] = 1
                rows.append((layer(eye[0]) - layer(0 * eye[0])).flatten())
    assert (
        torch.linalg.matrix_rank(torch.stack(rows[:free]))
        == torch.linalg.matrix_rank(torch.stack(rows))
        == free
    )


def test_scalar_weights_are_double_cosets():
    for group, left, right, count in [
        (S4, YoungSubgroup((2, 1, 1)), YoungSubgroup((2, 1, 1)), 7),
        (S4, PermutationGroup([(1, 2, 3, 0)]), PermutationGroup([(1, 2, 3, 0)]), 3),
        (cyclic(8), trivial(2), trivial(2), 8),
        (dihedral(4), trivial(2), dihedral(1), 4),
        (O, point_group("C4"), point_group("C4"), 3),
    ]:
        pair = HomSpace(group, left), HomSpace(group, right)
        spectral, local = layers(pair, (2, 3))
        assert spectral.linear.weight.numel() == 6 * count and local.weight.shape == (count, 3, 2)


def test_rotations_weights():
    """1 + 2 K on SO(2), 2 + 4 K on O(2), one per degree on the sphere, (2l+1)^2 on SO(3)."""
    for space, count in [
        (HomSpace(SO2(), trivial(2), max_degree=5), 11),
        (HomSpace(O2(), trivial(2), max_degree=5), 22),
        (HomSpace(O2(), dihedral(1), max_degree=5), 6),
        (HomSpace(SO3(), POLAR, max_degree=5), 6),
        (HomSpace(SO3(), trivial(), max_degree=5), sum((2 * l + 1) ** 2 for l in range(6))),
    ]:
        assert GConv(space, space, 1, 1).linear.weight.numel() == count


# ----------------------------------------------------------------------------------------------
# special cases


def test_sphere_to_rotations_has_the_value_of_the_notes():
    """(psi * f)(R) = sum over l of (f^l)^T D^l(R) psi^l, in the axes of the house."""
    f = np.array([0.5, 1, 2, 3, 1, -1, 0.5, 0, 2])
    psi = np.array([2, 0, 1, -1, 0.3, 0.2, 0.1, 0, -0.1])
    conv = GConv(
        HomSpace(SO3(), POLAR, max_degree=2), HomSpace(SO3(), trivial(), max_degree=2), 1, 1
    ).double()
    scale = np.repeat([1, 3**0.5, 5**0.5], [1, 3, 5])
    with torch.no_grad():
        conv.linear.weight.copy_(torch.from_numpy(psi / scale))
        conv.linear.bias.zero_()
    turns = [rotation(0.3, (0, 0, 1)), rotation(1.1, (0, 1, 0)), rotation(-0.7, (0, 0, 1))]
    cycled = np.eye(3)[[1, 2, 0]]  # the polar axis z of the notes is our y
    at = cycled @ turns[0] @ turns[1] @ turns[2] @ cycled.T
    found = values(conv.space_out, conv(torch.from_numpy(f)[None]), 1, at[None])
    np.testing.assert_allclose(found.item(), 5.75054714114538, atol=1e-12)


def test_the_layers_of_the_sphere_are_special_cases():
    """S^2 -> S^2 one number per degree; SO(3) -> SO(3) F^l psi^T; SO(3) -> S^2 the column n = 0."""
    sphere, rotations = (
        HomSpace(SO3(), POLAR, max_degree=2),
        HomSpace(SO3(), trivial(), max_degree=2),
    )
    zonal = GConv(sphere, sphere, 1, 1, bias=False).double()
    x = normal(1, 9)
    wanted = torch.cat(
        [w * part for w, part in zip(zonal.linear.weight, x[0].split([1, 3, 5]), strict=True)]
    )
    torch.testing.assert_close(zonal(x)[0], wanted)
    x = normal(1, 35)
    for target in (rotations, sphere):
        conv = GConv(rotations, target, 1, 1, bias=False).double()
        start, spots = (
            0,
            iter(conv(x)[0].split([m.shape[1] * m.shape[0] for m in target.isometries.values()])),
        )
        columns = x[0].split([1, 9, 25])
        for l, (matrices, part) in enumerate(zip(target.isometries.values(), columns, strict=True)):
            size = matrices.shape[1] * (2 * l + 1)
            psi = conv.linear.weight[start : start + size].view(matrices.shape[1], 2 * l + 1)
            torch.testing.assert_close(
                next(spots), (psi @ part.view(2 * l + 1, 2 * l + 1)).flatten()
            )
            start += size


def test_sets_are_functions_on_cosets():
    """S_n / S_(n-1): DeepSets, y = lambda x + gamma sum of x; pairs have 7 maps."""
    n = 5
    points = HomSpace(SymmetricGroup(n), YoungSubgroup((n - 1, 1)))
    signals = HomSignals(points, 1).double()
    conv = LocalGConv(points, points, 1, 1, bias=False).double()
    x = normal(3, n)
    coefficients = signals.components(x[:, None, :, None])
    y = signals.samples(conv(coefficients))[:, 0, :, 0]
    own, other = conv.weight.flatten()  # K e H, the point itself; K v H, the mean of all others
    wanted = own * x + other * (x.sum(1, keepdim=True) - x) / (n - 1)
    torch.testing.assert_close(y, wanted, atol=1e-12, rtol=0)
    for element in draw(
        SymmetricGroup(n)
    ):  # the last point marks the coset, in the order of `elements`
        places = signals.elements[:, :, -1].argmax(1)
        moved = torch.empty_like(x)
        moved[:, element.argmax(0)[places]] = x[:, places]
        order = torch.from_numpy(places)
        assert torch.equal(order.sort().values, torch.arange(n))
        wanted = act(conv.field_in, element, signals.components(x[:, order][:, None, :, None]))
        torch.testing.assert_close(
            signals.components(moved[:, order][:, None, :, None]), wanted, atol=1e-12, rtol=0
        )


def stabiliser(group, point):
    return Group.from_generators(
        [g for g in group.representatives if np.allclose(g @ point, point)]
    )


@pytest.mark.parametrize("group", [C4, dihedral(4)], ids=repr)
def test_planar_regular_convolutions(group):
    """p4 and p4m at one point.

    Its neighbours are orbits G / H, and the layers together have 9 |G| weights.

    A ring of neighbours with regular features is a field on G / H; the centre one on G / G. The
    maps of GConv from every ring to the centre span those of the filters psi with y(r) = sum over
    x, s of psi(r^-1 x, r^-1 s) f(x, s).
    """
    features, elements = regular(group), group.representatives
    centre = HomSpace(group, group, features)
    outcome = HomSignals(centre, 1).double()
    total = 0
    for point in (np.zeros(2), np.array([1.0, 0.0]), np.array([1.0, 1.0])):
        ring = HomSpace(
            group, stabiliser(group, point), Restricted(stabiliser(group, point), features)
        )
        signals = HomSignals(ring, 1).double()
        at, moves = signals.elements @ point, torch.from_numpy(features.matrices(signals.elements))
        count = len(at) * group.order
        given = torch.eye(count, dtype=torch.float64).view(count, len(at), group.order)
        x = signals.components(
            torch.einsum("pji,npj->npi", moves, given)[:, None]
        )  # f(g) = rho(g)^-1 feature at g x
        conv = GConv(ring, centre, 1, 1, bias=False).double()
        maps = []
        for k in range(conv.linear.weight.numel()):
            with torch.no_grad():
                conv.linear.weight.zero_()
                conv.linear.weight[k] = 1
                maps.append(outcome.samples(conv(x)).flatten())
        filters = []
        places = {tuple(p): k for k, p in enumerate(np.round(at).astype(int).tolist())}
        for spot in range(count):
            psi = torch.zeros(len(at), group.order, dtype=torch.float64)
            psi.view(-1)[spot] = 1
            sampled = torch.empty(len(at), group.order, group.order, dtype=torch.float64)
            for row, r in enumerate(elements):
                back = [places[tuple(p)] for p in np.round(at @ r).astype(int).tolist()]  # r^-1 x
                sampled[:, :, row] = psi[back][:, group.index(r.T @ elements)]
            filters.append(sampled.flatten())
        found, wanted = torch.stack(maps), torch.stack(filters)
        assert len(found) == len(wanted) == torch.linalg.matrix_rank(found) == count
        assert torch.linalg.matrix_rank(torch.cat([found, wanted]), rtol=1e-9) == count
        total += count
    assert total == 9 * group.order


@pytest.mark.parametrize("l", range(3))
@pytest.mark.parametrize("m", range(4))
def test_kernels_of_points_in_space(l, m):
    """Neighbours at one distance are a sphere, with features that the axis sees.

    The paths of PointConv.
    """
    axis, whole = (
        Restricted(h, irrep(g, name))
        for h, g, name in ((POLAR, SO3(), f"{l}"), (MIRRORS, O3(), f"{l}o"))
    )
    rotations = HomSpace(SO3(), SO3(), irrep(SO3(), str(m)), m)
    conv = GConv(HomSpace(SO3(), POLAR, axis, m), rotations, 1, 1)
    assert conv.linear.weight.numel() == 2 * min(l, m) + 1
    for parity, sign in (("e", 1), ("o", -1)):
        reflections = HomSpace(O3(), O3(), irrep(O3(), f"{m}{parity}"), m)
        paths = sum(
            -sign == (-1) ** j for j in range(abs(l - m), l + m + 1)
        )  # odd times (-1)^j is the parity
        ring = HomSpace(O3(), MIRRORS, whole, m)
        if paths:
            assert GConv(ring, reflections, 1, 1).linear.weight.numel() == paths
        else:
            assert not set(ring.isometries) & set(reflections.isometries)


def test_a_network_on_three_spaces():
    """Sphere, rotations, one point.

    Three layers of different spaces with functions between them, exactly invariant.
    """
    torch.manual_seed(0)
    sphere, cube = HomSpace(O, point_group("C4")), HomSpace(O, trivial())
    middle, corners = HomSignals(cube, 4).double(), HomSpace(O, C3)
    first, second = LocalGConv(sphere, cube, 2, 4).double(), GConv(cube, corners, 4, 3).double()
    last = GConv(corners, HomSpace(O, O), 3, 1).double()

    def network(t):
        return last(second(middle.components(torch.tanh(middle.samples(first(t))))))

    x = normal(2, first.field_in.dim)
    for g in draw(O):
        torch.testing.assert_close(
            network(act(first.field_in, g, x)), network(x), atol=1e-12, rtol=0
        )
    assert network(x).shape == (2, 1)


# ----------------------------------------------------------------------------------------------
# as layers


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_unit_variance_at_the_start(pair):
    """Of every irrep that both spaces hold in GConv, of all on the average in LocalGConv."""
    torch.manual_seed(0)
    held = sum(
        m.shape[0] * m.shape[1] for r, m in pair[1].isometries.items() if r in pair[0].isometries
    )
    for make, size in (
        (GConv, held),
        (lambda *a: LocalGConv(*a, elements=taps_of(pair)), pair[1].size),
    ):
        squares = []
        with torch.no_grad():
            for _ in range(10):
                layer = make(*pair, 12, 12)
                squares.append(
                    layer(torch.randn(100, layer.field_in.dim)).square().sum(1).mean() / (12 * size)
                )
        assert 0.75 < np.mean(squares) < 1.3


def test_batches_empty_inputs_and_precision():
    for layer in layers(FINITE[4]) + layers(INFINITE[1]):
        x = normal(4, layer.field_in.dim)
        torch.testing.assert_close(
            layer(x), torch.stack([layer(row) for row in x]), atol=1e-14, rtol=0
        )
        torch.testing.assert_close(
            layer(x.unflatten(0, (2, 2))), layer(x).unflatten(0, (2, 2)), atol=1e-14, rtol=0
        )
        assert layer(x[:0]).shape == (0, layer.field_out.dim)
        single = copy.deepcopy(layer).float()
        torch.testing.assert_close(single(x.float()).double(), layer(x), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            single.double()._apply(lambda t: t)(x), layer(x), atol=1e-5, rtol=1e-5
        )
        assert layer.eval().state_dict().keys() == layer.train().state_dict().keys()
        assert not any("spectrum" in key or "synthesis" in key for key in layer.state_dict())
        other = layers((layer.space_in, layer.space_out), seed=9)[isinstance(layer, LocalGConv)]
        other.load_state_dict(layer.state_dict())
        torch.testing.assert_close(other(x), layer(x), atol=0, rtol=0)
    signals = HomSignals(FINITE[4][0], 2)
    assert not signals.state_dict() and signals.components(
        signals.samples(torch.zeros(0, 16))
    ).shape == (0, 16)
    nothing = GConv(*FINITE[0], 0, 2)
    assert torch.equal(nothing(torch.ones(3, 0)), torch.zeros(3, 16))
    assert torch.equal(LocalGConv(*FINITE[0], 0, 2)(torch.ones(3, 0)), torch.zeros(3, 16))


def test_gradients():
    for layer in layers(FINITE[5], (1, 2)) + layers(INFINITE[0], (1, 1)):
        x = normal(1, layer.field_in.dim).requires_grad_()
        assert torch.autograd.gradcheck(layer, x)
        weight = layer.weight if isinstance(layer, LocalGConv) else layer.linear.weight
        layer(x).square().sum().backward()
        assert weight.grad.norm() > 0
    signals = HomSignals(FINITE[5][0], 1).double()
    assert torch.autograd.gradcheck(
        lambda t: signals.components(torch.tanh(signals.samples(t))), normal(1, 8).requires_grad_()
    )


def test_compiles():
    signals = HomSignals(FINITE[5][0], 2).double()
    for layer in layers(FINITE[5]):
        x = normal(3, layer.field_in.dim)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        torch.testing.assert_close(compiled(x), layer(x), atol=1e-12, rtol=0)
    both = torch.compile(
        lambda t: signals.components(signals.samples(t)), fullgraph=True, backend="aot_eager"
    )
    x = normal(3, signals.field_in.dim)
    torch.testing.assert_close(both(x), x, atol=1e-12, rtol=0)


def test_a_broken_twin_fails():
    """A kernel that the stabiliser does not leave: one number of one block moved."""
    conv = GConv(
        HomSpace(SO3(), POLAR, max_degree=2), HomSpace(SO3(), POLAR, max_degree=2), 1, 1
    ).double()
    broken = lambda t: conv(t) + t @ torch.diag(torch.eye(9, dtype=torch.float64)[5])  # noqa: E731
    x, (g,) = normal(3, 9), draw(SO3(), 1)
    assert (broken(act(conv.field_in, g, x)) - act(conv.field_out, g, broken(x))).abs().max() > 0.1


def test_repr():
    assert repr(LocalGConv(*FINITE[6], 2, 3)) == "LocalGConv(O / C4 -> O / D2, 3 taps)"
    assert "T / C3, type of dimension 2 -> " in repr(GConv(*FINITE[4], 1, 1))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (
            lambda: GConv(FINITE[0][0], FINITE[6][1], 1, 1),
            FieldMismatchError,
            "GConv joins homogeneous spaces of one group; got C8 / trivial and O / D2",
        ),
        (
            lambda: LocalGConv(FINITE[0][0], FINITE[6][1], 1, 1),
            FieldMismatchError,
            "LocalGConv joins homogeneous spaces",
        ),
        (
            lambda: GConv(*FINITE[0], 2, 3)(torch.zeros(1, 7)),
            FieldMismatchError,
            r"GConv expects features of .* \(16 channels\) and got 7",
        ),
        (
            lambda: LocalGConv(*FINITE[0], 2, 3)(torch.zeros(1, 7)),
            FieldMismatchError,
            r"LocalGConv expects features of",
        ),
        (
            lambda: LocalGConv(*INFINITE[0], 2, 3),
            GroupError,
            r"SO\(3\) is infinite, .*; take elements of your own",
        ),
        (
            lambda: LocalGConv(*INFINITE[0], 2, 3, -np.eye(3)[None]),
            GroupError,
            r"Not every matrix is an element of SO\(3\)",
        ),
        (
            lambda: LocalGConv(*FINITE[6], 1, 1, np.eye(3)[None].repeat(2, 0)),
            ValueError,
            "The 2 taps of these 2 elements make 1 independent kernels .* one element of a double "
            "coset",
        ),
        (
            lambda: LocalGConv(INFINITE[0][0], INFINITE[0][0], 1, 1, draw(SO3(), 4)),
            ValueError,
            "The 4 taps of these 4 elements make 3 independent kernels",
        ),
        (
            lambda: LocalGConv(
                HomSpace(O3(), O3(), irrep(O3(), "1o"), 1),
                HomSpace(O3(), O3(), max_degree=1),
                1,
                1,
                np.eye(3)[None],
            ),
            ValueError,
            "The 0 taps of these 1 elements make 0 independent kernels",
        ),
        (
            lambda: LocalGConv(*(HomSpace(SymmetricGroup(8), YoungSubgroup((1,) * 8)),) * 2, 1, 1),
            ValueError,
            "with 40320 elements .* takes 1625702400 constants.* Take fewer elements, lower "
            "degrees, or GConv, which",
        ),
        (
            lambda: GConv(*FINITE[0], 1, 1).kernel(np.eye(2)),
            GroupError,
            r"Elements of C8 are matrices \(element, 2, 2\)",
        ),
    ],
)
def test_errors(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()


def test_the_page_runs(capsys):
    """The code of docs/homogeneous_spaces.md prints what the page says that it prints."""
    blocks = re.findall(r"```(python)?\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for language, text in blocks:
        if language:
            exec(text, names)
        else:
            assert capsys.readouterr().out == text
