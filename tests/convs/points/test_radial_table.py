"""The table of paths that radial.c reads: its loops in Python, against tensors of the paths."""

import numpy as np
import pytest
import torch

from convs.points.test_engines import field_of
from steerable.convs.points.point_conv import PointConv
from steerable.convs.points.radial_table import radial_table
from steerable.filters import HarmonicFilter
from steerable.groups import O3, point_group

EDGES = 3


def contraction_of(group):
    filter = HarmonicFilter(2, 2.0, channels=2, group=group)
    conv = PointConv(field_of(group, 3, 2), field_of(group, 2), filter, "depthwise")
    return conv.double().contraction


def by_table(table, constants, y, w, f, capacity):
    """S of one target by the loops of radial.c, number for number."""
    s = np.zeros(capacity * table.sums)
    path = table._path.copy()
    path[:, 3] += capacity * table._before
    for e in range(EDGES):
        g = np.zeros(table._products)
        for (harmonic, product), value in zip(*constants, strict=True):
            g[product] += value * y[e, harmonic]
        for f0, m_i, m_o, s0, step, _, w0, copies, g0 in path:
            weights = w[e, w0 : w0 + copies]
            for i in range(m_i):
                feature = f[e, f0 + i * copies : f0 + (i + 1) * copies]
                for o in range(m_o):
                    at = s0 + o * step
                    s[at : at + copies] += g[g0 + i * m_o + o] * weights * feature
    return s


@pytest.mark.parametrize("group", [O3(), point_group("Td")], ids=str)
def test_loops_over_the_table_are_products_of_tensors(group):
    contraction = contraction_of(group)
    weights, capacity, random = contraction.bind(), 4, np.random.default_rng(0)
    table, layout = radial_table(weights.layout), weights.layout
    place, value = weights.constants.place.view(-1, 2).tolist(), weights.constants.value.tolist()
    harmonics, width, columns = table._widths
    y, w = random.normal(size=(EDGES, harmonics)), random.normal(size=(EDGES, columns))
    x = random.normal(size=(EDGES, width))
    f = x[:, table.order]
    result = by_table(table, (place, value), y, w, f, capacity)

    features = [part.numpy() for part in layout.split(torch.from_numpy(x))]
    parts = [[] for _ in layout.outputs]
    for k, path in enumerate(layout.paths):
        tensor = weights.tensor(k).numpy()
        terms = y[:, path.at], tensor, features[path.term], w[:, weights.columns(k)]
        parts[path.out].append(np.einsum("eh,hio,eic,ec->oc", *terms))
    start = 0
    for part, (m_o, total) in zip(parts, table.outputs, strict=True):
        wanted = np.concatenate(part, 1)
        assert wanted.shape == (m_o, total)
        block = result[start : start + m_o * total].reshape(m_o, total)
        np.testing.assert_allclose(block, wanted, atol=1e-12)
        start += capacity * m_o * total  # an array of all targets per output irrep
    assert start == len(result)


@pytest.mark.parametrize("group", [O3(), point_group("Td")], ids=str)
def test_results_are_joined_and_parted_as_by_the_layout(group):
    layout = contraction_of(group).paths.layout
    table = radial_table(layout)
    y = torch.randn(5, layout.width, dtype=torch.float64)
    for part, wanted in zip(table.part(y), layout.part(y), strict=True):
        assert torch.equal(part, wanted)
    assert torch.equal(table.join(table.part(y)), y)
    assert torch.equal(table.order[table.place], torch.arange(len(table.order)))


def test_it_is_computed_once_for_a_layout():
    first, second = contraction_of(O3()), contraction_of(O3())
    assert radial_table(first.paths.layout) is radial_table(first.paths.layout)
    assert radial_table(second.paths.layout).outputs == radial_table(first.paths.layout).outputs
    assert torch.equal(first.bind().constants.place, second.bind().constants.place)


@pytest.mark.parametrize("lanes", [1, 4, 8])
def test_copies_are_padded_to_whole_vectors(lanes):
    layout = contraction_of(point_group("Td")).paths.layout
    table = radial_table(layout, lanes)
    x = torch.randn(5, len(table.place), dtype=torch.float64)
    f = x.new_zeros(5, table.width).index_copy_(1, table.place, x)
    start = 0
    for part in layout.split(x):  # (node, component, copy)
        _, dim, copies = part.shape
        padded = -(-copies // lanes) * lanes
        block = f[:, start : start + dim * padded].unflatten(1, (dim, padded))
        assert torch.equal(block[:, :, :copies], part)
        assert not block[:, :, copies:].any()
        start += dim * padded
    assert start == table.width

    v = torch.randn(2, sum(path.copies for path in layout.paths), dtype=torch.float64)
    columns = table.with_padding(v)
    assert columns.shape == (2, table.padded) and table.padded % lanes == 0
    assert torch.equal(table.without_padding(columns), v)
    assert torch.isclose(columns.sum(), v.sum())
