"""The table of paths that messages.c reads: its loops in Python, against tensors of the paths."""

import numpy as np
import pytest
import torch

from convs.points.test_engines import field_of
from steerable.convs.points.message_table import message_table
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter
from steerable.groups import O3, point_group

EDGES, LANES = 3, 4


def contraction_of(group):
    filter = HarmonicFilter(2, 2.0, channels=2, group=group)
    conv = PointConv(field_of(group, 3, 2), field_of(group, 2), filter)
    return conv.double().contraction


def by_table(table, constants, phi, y, f, capacity):
    """M of one target by the loops of messages.c, number for number."""
    moments = np.zeros(capacity * table.numbers)
    path = table._path.copy()
    path[:, 4] += capacity * table._before
    for e in range(EDGES):
        g = np.zeros(table._widths[0])
        for (harmonic, product), value in zip(*constants, strict=True):
            g[product] += value * y[e, harmonic]
        for f0, m_i, m_o, copies, m0, step, _, g0 in path:
            row = -(-copies // LANES) * LANES
            for o in range(m_o):
                terms = [
                    g[g0 + i * m_o + o] * f[e, f0 + i * row : f0 + i * row + copies]
                    for i in range(m_i)
                ]
                at = m0 + o * step
                product = np.outer(phi[e], sum(terms)).ravel()
                moments[at : at + len(product)] += product
    return moments


@pytest.mark.parametrize("group", [O3(), point_group("Td")], ids=str)
def test_moments_of_the_table_times_its_weights_are_the_sum(group):
    contraction = contraction_of(group)
    weights, capacity, random = contraction.bind(), 4, np.random.default_rng(0)
    table, layout = message_table(weights.recipe, LANES), weights.layout
    place, value = weights.constants.place.tolist(), weights.constants.value.tolist()
    _, harmonics, width, channels = table._widths
    phi, y = random.normal(size=(EDGES, channels)), random.normal(size=(EDGES, harmonics))
    x = random.normal(size=(EDGES, contraction.paths.field_in.dim))
    f = np.where(table.order < 0, 0.0, x[:, table.order])
    assert f.shape == (EDGES, width)
    moments = by_table(table, (place, value), phi, y, f, capacity)

    features = [part.numpy() for part in layout.split(torch.from_numpy(x))]
    wanted = [0.0] * len(layout.outputs)
    for k, path in enumerate(layout.paths):
        weight = contraction.weight(k).detach().numpy()
        terms = y[:, path.at], weights.tensor(k).numpy(), features[path.term], phi, weight
        wanted[path.out] += np.einsum("eh,hio,eic,ek,cku->ou", *terms)
    start = 0
    for o, (m_o, total) in enumerate(table.outputs):
        block = moments[start : start + m_o * total].reshape(m_o, total)
        weight = contraction.own_parameters()[o].detach()[0, table.rows[o]].numpy()
        np.testing.assert_allclose(block @ weight, wanted[o], atol=1e-12)
        start += capacity * m_o * total  # an array of all targets per output irrep
    assert start == len(moments)


def test_it_is_computed_once_for_a_recipe():
    recipe = contraction_of(O3()).recipe
    assert message_table(recipe, LANES) is message_table(recipe, LANES)
    assert message_table(recipe, 8) is not message_table(recipe, LANES)
