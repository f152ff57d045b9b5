"""Integrators against known motions, pair forces against double sums, and files read back."""

import numpy as np
import pytest

from steerable.data.particles.trajectories import (
    DT,
    EVERY,
    cached_table,
    digest,
    kick_drift,
    leapfrog,
    pair_forces,
    system_count,
    trajectories,
)
from steerable.ops.cache_folder import CACHE_VARIABLE


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def circle(systems):
    """Positions and velocities of particles that turn about the origin once in 2 pi.

    Each system is on its own radius.
    """
    radius = np.arange(1.0, systems + 1)[:, None]
    zero = np.zeros_like(radius)
    return np.stack([radius, zero, zero], -1), np.stack([zero, radius, zero], -1)


@pytest.mark.parametrize(("integrator", "first"), [(kick_drift, 1), (leapfrog, 0)])
def test_a_harmonic_motion(integrator, first):
    frames = 5
    position, velocity = trajectories(circle(3), frames, integrator, lambda block: lambda x: -x)
    assert position.shape == velocity.shape == (3, frames, 1, 3)
    time = DT * EVERY * np.arange(first, first + frames)
    turning = np.stack([np.cos(time), np.sin(time), np.zeros(frames)], -1)
    lag = 0 if integrator is leapfrog else DT / 2  # of the velocities
    for k, radius in enumerate([1.0, 2.0, 3.0]):
        np.testing.assert_allclose(position[k, :, 0], radius * turning, atol=1e-3 if lag else 1e-6)
        np.testing.assert_allclose(
            velocity[k, :, 0, 1], radius * np.cos(time - lag), atol=2e-3 if lag else 1e-6
        )


def test_leapfrog_goes_back_the_way_it_came():
    start = np.random.RandomState(0).randn(2, 4, 3, 3)
    there = trajectories(tuple(start), 3, leapfrog, lambda block: lambda x: -(x**3))
    back = trajectories(
        (there[0][:, 2], -there[1][:, 2]), 3, leapfrog, lambda block: lambda x: -(x**3)
    )
    np.testing.assert_allclose(back[0][:, 2], start[0], atol=1e-11)


def test_blocks_of_systems_are_systems_one_by_one(monkeypatch):
    start = np.random.RandomState(0).randn(2, 7, 2, 3)
    stiffness = np.arange(7.0)

    def force(block):
        return lambda x: -stiffness[block] * x

    whole = trajectories(tuple(start), 2, leapfrog, force)
    monkeypatch.setattr("steerable.data.particles.trajectories.BLOCK", 6)
    np.testing.assert_array_equal(trajectories(tuple(start), 2, leapfrog, force), whole)


def test_no_systems():
    position, velocity = trajectories(
        tuple(np.zeros((2, 0, 5, 3))), 4, kick_drift, lambda block: lambda x: x
    )
    assert position.shape == velocity.shape == (0, 4, 5, 3)


@pytest.mark.parametrize("particles", [1, 2, 5, 9])
def test_pair_forces_are_the_double_sum(particles):
    random = np.random.RandomState(particles)
    x, weight = random.randn(3, particles, 4), random.randn(particles, particles, 4)
    weight = weight + weight.swapaxes(0, 1)
    found = pair_forces(x, lambda i, r: weight[i, i + 1 :] * (r * r).sum(0))
    wanted = np.zeros_like(x)
    for i in range(particles):
        for j in range(particles):
            r = x[:, i] - x[:, j]
            wanted[:, i] += weight[i, j] * (r * r).sum(0) * r
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.sum(1), 0, atol=1e-11)


def test_kept_is_built_once_for_each_setting(folder):
    calls = []

    def build():
        calls.append(1)
        return {"a": np.arange(5.0)}

    for _ in range(2):
        assert list(cached_table("x", (3, 43), build)) == ["a"]
    assert len(calls) == 1
    cached_table("x", (3, 44), build)
    assert len(calls) == 2


def test_a_file_with_another_hash_is_made_anew_with_a_warning(folder):
    def build():
        return {"a": np.arange(5.0)}

    cached_table("x", (1,), build)
    (path,) = folder.iterdir()
    with np.load(path) as archive:
        table = dict(archive)
    for changed in (
        {**table, "a": np.arange(5.0) + 1},
        {"a": table["a"]},
        {"b": table["a"], "sha256": table["sha256"]},
    ):
        np.savez(path, **changed)
        with pytest.warns(
            UserWarning, match="The hash of .*x-1-v1.npz is not that of its arrays: .* made anew"
        ):
            np.testing.assert_equal(cached_table("x", (1,), build), build())
    np.testing.assert_equal(cached_table("x", (1,), build), build())  # without a warning


def test_digests_differ_with_numbers_shapes_and_types():
    a = np.arange(6.0)
    same = digest({"a": a})
    assert (
        same
        == digest({"a": np.arange(12.0)[:6]})
        == digest({"a": np.arange(12.0).repeat(2)[:12:2]})
    )
    others = [
        {"b": a},
        {"a": a + 1},
        {"a": a.reshape(2, 3)},
        {"a": a.view(np.int64)},
        {"a": a, "b": a},
        {},
    ]
    assert len({same, *map(digest, others)}) == 7


def test_counts():
    assert system_count(3, 0, 2, 5) == 5
    with pytest.raises(ValueError, match="at least 0; got num_train=3, num_valid=-1, num_test=0"):
        system_count(3, -1, 0, 5)
    with pytest.raises(ValueError, match="1 to 10,000 particles; got 0"):
        system_count(3, 1, 0, 0)
