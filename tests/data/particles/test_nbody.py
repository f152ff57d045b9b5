"""Named tasks: their parts, their baselines, and names that are none."""

import importlib.util

import numpy as np
import pytest

from steerable.data.particles.nbody import PRESETS, baselines, read_nbody
from steerable.data.particles.solar_system import BODIES, julian_day, read
from steerable.ops.cache_folder import CACHE_VARIABLE


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    """A cache folder of this file's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("preset", ["charged", "springs-0", "springs-50"])
def test_published_tasks(preset):
    task = read_nbody(preset, (5, 2, 3))
    systems, frames = 10, 49
    assert task.position.shape == task.velocity.shape == (systems, frames, 5, 3)
    assert task.scalar.shape == (systems, 5)
    assert (task.pair is not None) == preset.startswith("springs")
    assert [
        part.tolist() for part in (task.split.train, task.split.validation, task.split.test)
    ] == [
        [0, 1, 2, 3, 4],
        [5, 6],
        [7, 8, 9],
    ]
    assert len(task.sha256) == 64
    assert (task.given, task.asked, task.interval) == (30, 40, pytest.approx(1.0))
    some = np.array([8, 2])
    energy = task.energy(task.position[some], task.velocity[some], some)
    assert energy.shape == (2, frames)
    np.testing.assert_array_equal(
        energy, task.energy(task.position, task.velocity, np.arange(systems))[some]
    )


def test_the_baselines_are_these_sums():
    task = read_nbody("springs-10", (5, 2, 3))
    x, v = task.position[7:], task.velocity[7:]
    wanted = {
        "stay": ((x[:, 40] - x[:, 30]) ** 2).mean(),
        "constant velocity": ((x[:, 40] - x[:, 30] - v[:, 30]) ** 2).mean(),
        "constant acceleration": ((x[:, 40] - 3 * x[:, 30] + 3 * x[:, 20] - x[:, 10]) ** 2).mean(),
    }
    found = baselines(task)
    assert found.pop("exact") < 1e-8
    assert found == pytest.approx(wanted)


def test_baselines_need_test_systems():
    with pytest.raises(ValueError, match="on the test systems and there is none"):
        baselines(read_nbody("charged", (1, 0, 0)))


def test_unknown_presets_and_sizes():
    with pytest.raises(
        ValueError,
        match="no preset 'planets': choose one of 'charged', 'gravity', 'springs-0', .*'solar'",
    ):
        read_nbody("planets")
    with pytest.raises(ValueError, match="at least 0; got num_train=5, num_valid=-2"):
        read_nbody("charged", (5, -2, 3))
    with pytest.raises(ValueError, match=r"the parts of 'solar' are years .*; got \(1, 1, 1\)"):
        read_nbody("solar", (1, 1, 1))
    assert list(PRESETS) == ["charged", "gravity", "springs-0", "springs-10", "springs-50", "solar"]


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("jplephem", "skyfield_data")),
    reason="the extra `solar` is not installed",
)
def test_the_solar_system_is_parted_by_years():
    task = read_nbody("solar")
    assert task.position.shape == (5476, 4, len(BODIES), 3)
    day = read("1900-01-01", "2050-01-01", 10).day
    first, last = day[:-3], day[3:]
    assert last[task.split.train].max() <= julian_day("2000-01-01") < last[task.split.train[-1] + 1]
    assert first[task.split.test].min() >= julian_day("2010-01-01") > first[task.split.test[0] - 1]
    middle = task.split.validation
    assert (
        julian_day("2000-01-01")
        < first[middle].min()
        < last[middle].max()
        < julian_day("2010-01-01")
    )
    found = baselines(task)
    assert list(found) == ["stay", "constant velocity", "constant acceleration"]
    x = task.position[task.split.test]
    assert found["constant acceleration"] == pytest.approx(
        ((x[:, 3] - 3 * x[:, 2] + 3 * x[:, 1] - x[:, 0]) ** 2).mean()
    )
    some = np.array([0, 100])
    energy = task.energy(task.position[some], task.velocity[some], some)
    np.testing.assert_allclose(energy, energy[0, 0], rtol=1e-7)
    np.testing.assert_allclose(task.scalar[0, 0], 1)
