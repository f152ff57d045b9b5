"""Solids: every point lies on the surface, and the points are spread evenly over its area."""

import numpy as np
import pytest

from steerable.data.shapes import solids as module
from steerable.data.shapes.solids import SOLIDS, solids

POINTS = 200_000
NEAR = 0.01  # four to five standard deviations of a mean over the points


@pytest.fixture(scope="module")
def drawn():
    """One large cloud of each kind."""
    return {kind: solids(kind, 1, POINTS, seed=3)[0].astype(np.float64) for kind in SOLIDS}


def test_clouds_are_the_same_for_the_same_seed_and_differ_within_a_kind():
    for kind in SOLIDS:
        found = solids(kind, 3, 50, seed=1)
        assert found.shape == (3, 50, 3)
        assert found.dtype == np.float32
        assert (found == solids(kind, 3, 50, seed=1)).all()
        assert not (found == solids(kind, 3, 50, seed=2)).all(2).any()
        assert len(np.unique(np.ptp(found, axis=1), axis=0)) == 3


def test_box(drawn):
    pos = drawn["box"]
    sides = np.ptp(pos, axis=0)
    on = np.isclose(np.abs(pos), sides / 2, atol=1e-4)
    assert on.any(1).all()
    area = np.prod(sides) / sides
    np.testing.assert_allclose(on.mean(0), area / area.sum(), atol=NEAR)
    np.testing.assert_allclose(pos.mean(0), 0, atol=NEAR)


def test_capsule(drawn):
    pos = drawn["capsule"]
    radius = np.abs(pos[:, 0]).max()
    height = np.ptp(pos[:, 2]) - 2 * radius
    beyond = np.maximum(np.abs(pos[:, 2]) - height / 2, 0)
    np.testing.assert_allclose(np.hypot(np.hypot(pos[:, 0], pos[:, 1]), beyond), radius, atol=1e-3)
    assert (beyond < 1e-9).mean() == pytest.approx(height / (height + 2 * radius), abs=NEAR)


def test_cone(drawn):
    pos = drawn["cone"]
    distance = np.hypot(pos[:, 0], pos[:, 1])
    radius, height = distance.max(), np.ptp(pos[:, 2])
    above = pos[:, 2] + height / 2
    on_base = above < 1e-6
    np.testing.assert_allclose(
        distance[~on_base], radius * (1 - above[~on_base] / height), atol=1e-2
    )
    assert on_base.mean() == pytest.approx(radius / (radius + np.hypot(radius, height)), abs=NEAR)
    assert above[~on_base].mean() == pytest.approx(height / 3, abs=NEAR)
    assert distance[on_base].mean() == pytest.approx(2 * radius / 3, abs=NEAR)


def test_cross(drawn):
    pos = drawn["cross"]
    size = np.sort(np.abs(pos), axis=1)
    width = 2 * np.median(
        size[:, 1]
    )  # two of three coordinates are within the bar, one of them on its side
    lengths = np.ptp(pos, axis=0)
    assert (size[:, 1] <= width / 2 + 1e-6).all()
    on_end = np.isclose(np.abs(pos), lengths / 2, atol=1e-4).any(1)
    on_side = np.isclose(size[:, 1], width / 2, atol=1e-6)
    assert (on_end | on_side).all()
    assert on_end.mean() == pytest.approx(
        6 * width**2 / (6 * width**2 + 4 * width * (lengths - width).sum()), abs=NEAR
    )


def test_cylinder(drawn):
    pos = drawn["cylinder"]
    distance = np.hypot(pos[:, 0], pos[:, 1])
    radius, height = distance.max(), np.ptp(pos[:, 2])
    on_lid = np.isclose(np.abs(pos[:, 2]), height / 2, atol=1e-6)
    np.testing.assert_allclose(distance[~on_lid], radius, atol=1e-6)
    assert on_lid.mean() == pytest.approx(radius / (radius + height), abs=NEAR)
    assert distance[on_lid].mean() == pytest.approx(2 * radius / 3, abs=NEAR)
    assert np.abs(pos[~on_lid, 2]).mean() == pytest.approx(height / 4, abs=NEAR)


def test_pyramid(drawn):
    pos = drawn["pyramid"]
    on_base = pos[:, 2] == 0
    side, height = np.ptp(pos[on_base, 0]), pos[:, 2].max()
    wide = np.abs(pos[~on_base, :2]).max(1)
    np.testing.assert_allclose(wide, side / 2 * (1 - pos[~on_base, 2] / height), atol=1e-2)
    assert on_base.mean() == pytest.approx(side / (side + 2 * np.hypot(side / 2, height)), abs=NEAR)
    assert pos[~on_base, 2].mean() == pytest.approx(height / 3, abs=NEAR)
    np.testing.assert_allclose(pos[:, :2].mean(0), 0, atol=NEAR)


def test_torus(drawn):
    pos = drawn["torus"]
    distance = np.hypot(pos[:, 0], pos[:, 1])
    small = np.ptp(pos[:, 2]) / 2
    large = distance.max() - small
    np.testing.assert_allclose(np.hypot(distance - large, pos[:, 2]), small, atol=1e-3)
    assert distance.mean() == pytest.approx(large + small**2 / (2 * large), abs=NEAR / 4)


@pytest.mark.parametrize(("low", "high"), [(0.6, 0.2), (0.2, 0.6), (0.4, 0.4), (0.5, 0.0)])
def test_the_side_of_a_cone_is_even_in_area(low, high):
    pos = module._side(np.random.RandomState(0), POINTS, low, high, 1.0)
    share = pos[:, 2] + 0.5
    np.testing.assert_allclose(
        np.hypot(pos[:, 0], pos[:, 1]), low + (high - low) * share, atol=1e-12
    )
    assert share.mean() == pytest.approx((low + 2 * high) / (3 * (low + high)), abs=NEAR)
