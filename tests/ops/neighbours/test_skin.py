"""Lists with a skin against fresh ones, along random walks and strains."""

import numpy as np
import pytest
import torch

from steerable.ops import NeighbourSkin, periodic_graph, radius_graph

CUTOFF = 2.5


def start(count=24, seed=0):
    """Two structures in different cells, one a slab."""
    rng = np.random.default_rng(seed)
    cell = torch.from_numpy(rng.uniform(-0.5, 0.5, size=(2, 3, 3))) + 4 * torch.eye(3).double()
    batch = torch.from_numpy(rng.integers(0, 2, count))
    pos = torch.from_numpy(rng.uniform(-1, 2, size=(count, 3)))
    pos = torch.einsum("nk,nkd->nd", pos, cell[batch])
    pbc = torch.tensor([[True, True, True], [True, False, True]])
    return rng, pos, cell, pbc, batch


def same(edges, others):
    return all(a.equal(b) for a, b in zip(edges, others, strict=True))


@pytest.mark.parametrize("strained", ["fixed", "strained", "strained with the points"])
def test_along_a_walk_it_is_the_fresh_list(strained):
    rng, pos, cell, pbc, batch = start()
    skin = NeighbourSkin(CUTOFF, 0.8)
    changes = 0
    for _ in range(60):
        pos = pos + torch.from_numpy(rng.normal(size=pos.shape)) * 0.03
        if strained != "fixed":
            strain = torch.eye(3) + torch.from_numpy(rng.normal(size=(2, 3, 3))) * 0.004
            cell = cell @ strain
            if strained != "strained":
                pos = torch.einsum("nk,nkd->nd", pos, strain[batch])
        edges = skin(pos, cell, pbc, batch)
        fresh = periodic_graph(pos, CUTOFF, cell, pbc, batch)
        assert same(edges, fresh)
        changes += fresh[0].shape[1] != skin(pos, cell, pbc, batch)[0].shape[1]
    assert 2 <= skin.builds <= 40 and not changes


def test_without_a_cell_it_is_the_radius_graph():
    rng, pos, *_ = start()
    skin = NeighbourSkin(CUTOFF, 1.0)
    for _ in range(30):
        pos = pos + torch.from_numpy(rng.normal(size=pos.shape)) * 0.03
        edge_index, shift = skin(pos)
        assert edge_index.equal(radius_graph(pos, CUTOFF)) and shift is None
    assert 2 <= skin.builds <= 15


def test_a_list_serves_up_to_half_the_skin():
    pos, cell = torch.zeros(2, 3).double(), 5 * torch.eye(3).double()
    skin = NeighbourSkin(CUTOFF, 0.5)
    for step, builds in ((0.0, 1), (0.249, 1), (-0.249, 1), (0.251, 2), (0.0, 3)):
        moved = pos.clone()
        moved[1, 2] = step
        skin(moved, cell)
        assert skin.builds == builds


def test_a_list_serves_as_long_as_no_pair_may_have_come_closer():
    """A cell that shrinks by 1 - s brings pairs at cutoff + skin to (1 - s) (cutoff + skin)."""
    pos, cell = torch.zeros(2, 3).double(), 5 * torch.eye(3).double()
    skin = NeighbourSkin(2.0, 0.5)
    for scale, builds in ((1.0, 1), (0.81, 1), (1.3, 1), (0.79, 2), (0.8, 2)):
        skin(pos * scale, cell * scale)
        assert skin.builds == builds


def test_the_whole_list_is_returned_by_choice():
    _, pos, cell, pbc, batch = start()
    whole = NeighbourSkin(CUTOFF, 0.7, exact=False)(pos, cell, pbc, batch)
    assert same(whole, periodic_graph(pos, CUTOFF + 0.7, cell, pbc, batch))


def test_points_that_move_in_place_are_compared_with_those_of_the_list():
    _, pos, cell, pbc, batch = start()
    skin = NeighbourSkin(CUTOFF, 0.5)
    skin(pos, cell, pbc, batch)
    pos[3] += 1.0
    assert same(skin(pos, cell, pbc, batch), periodic_graph(pos, CUTOFF, cell, pbc, batch))
    assert skin.builds == 2


def test_another_structure_has_another_list():
    _, pos, cell, pbc, batch = start()
    skin = NeighbourSkin(CUTOFF, 0.5)
    calls = [
        (pos, cell, pbc, batch),
        (pos[:-1], cell, pbc, batch[:-1]),
        (pos[:-1], cell, True, batch[:-1]),
        (pos[:-1], cell, True, 1 - batch[:-1]),
        (pos[:-1], cell[0], True),
        (pos[:-1], cell[0], True, batch[:-1] * 0),
    ]
    for builds, call in enumerate(calls, 1):
        points, *rest = call
        assert same(skin(*call), periodic_graph(points, CUTOFF, *rest))
        assert skin.builds == builds
    assert skin(pos[:-1])[1] is None and skin.builds == len(calls) + 1


@pytest.mark.parametrize("skin", [-0.1, float("nan"), float("inf")])
def test_bad_skins(skin):
    with pytest.raises(ValueError, match="NeighbourSkin needs a skin"):
        NeighbourSkin(CUTOFF, skin)
    with pytest.raises(ValueError, match="NeighbourSkin needs a positive, finite cutoff"):
        NeighbourSkin(-1.0, 0.1)


def test_bad_structures_are_refused_at_any_step():
    _, pos, cell, pbc, batch = start()
    skin = NeighbourSkin(CUTOFF, 0.5)
    skin(pos, cell, pbc, batch)
    with pytest.raises(ValueError, match="NaN or infinite"):
        skin(pos * float("nan"), cell, pbc, batch)
    with pytest.raises(ValueError, match="cells must be finite"):
        skin(pos, cell * float("inf"), pbc, batch)
    with pytest.raises(ValueError, match=r"cell is \(3, 3\)"):
        skin(pos, torch.eye(4), pbc, batch)
    with pytest.raises(ValueError, match="pbc says"):
        skin(pos, cell, (True, False), batch)
    with pytest.raises(ValueError, match="depend on each other"):
        skin(pos, cell * 0, pbc, batch)
