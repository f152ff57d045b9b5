"""The Solar System.

Eclipses, Kepler's and Newton's laws, dates, and packages that are not there.
"""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from steerable.data.particles import solar_system
from steerable.data.particles.conserved import angular_momentum, momentum
from steerable.data.particles.solar_system import AU, BODIES, julian_day, read

there = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("jplephem", "skyfield_data")),
    reason="the extra `solar` is not installed",
)
SUN, EARTH, MOON = (BODIES.index(name) for name in ("Sun", "Earth", "Moon"))


def angle(a, b):
    """In degrees."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(-1)))


@there
def test_shapes_and_masses():
    found = read("2000-01-01", "2000-01-11", step=5)
    assert found.position.shape == found.velocity.shape == (3, 11, 3)
    assert found.day.tolist() == [2451544.5, 2451549.5, 2451554.5]
    assert found.mass[SUN] == pytest.approx(1.9884e30, rel=1e-4)
    assert found.mass[SUN] / (found.mass[EARTH] + found.mass[MOON]) == pytest.approx(
        328_900.56, rel=1e-7
    )  # IAU
    assert found.mass[EARTH] / found.mass[MOON] == pytest.approx(81.3006, rel=1e-6)


@there
def test_units():
    km, au = read("1950-01-01", "1950-01-03"), read("1950-01-01", "1950-01-03", unit="AU")
    for here, other in ((km.position, au.position), (km.velocity, au.velocity)):
        np.testing.assert_allclose(here / AU, other, rtol=1e-15)
    assert np.sqrt(au.gm[SUN]) == pytest.approx(0.01720209895, rel=1e-9)  # the constant of Gauss
    np.testing.assert_array_equal(km.mass, au.mass)


@there
@pytest.mark.parametrize("moment", ["1999-08-11T11:03", "2009-07-22T02:36", "2017-08-21T18:26"])
def test_at_an_eclipse_the_moon_is_before_the_sun(moment):
    found = read(moment, moment)
    from_earth = found.position[0] - found.position[0, EARTH]
    assert (
        angle(from_earth[SUN], from_earth[MOON]) < 1
    )  # from the centre of Earth, which is a Moon's breadth beside


@there
def test_keplers_third_law():
    found = read("1960-01-01", "2000-01-01", step=20, unit="AU")
    for name, half_axis in (
        ("Mercury", 0.38710),
        ("Venus", 0.72333),
        ("Mars", 1.52368),
        ("Jupiter", 5.2026),
    ):
        distance = np.linalg.norm(
            found.position[:, BODIES.index(name)] - found.position[:, SUN], axis=-1
        )
        assert (distance.max() + distance.min()) / 2 == pytest.approx(half_axis, rel=5e-3)
    moon = np.linalg.norm(found.position[:, MOON] - found.position[:, EARTH], axis=-1) * AU
    assert 356_000 < moon.min() < moon.max() < 407_000


@there
def test_newtons_law():
    """Velocities change as masses and places say.

    What is left out are relativity, the moons and the asteroids.
    """
    found = read("2000-01-01", "2000-01-01T02:24", step=0.05)
    change = (found.velocity[2] - found.velocity[0]) / 0.1
    r = found.position[1] - found.position[1][:, None]
    distance = np.linalg.norm(r, axis=-1) + np.eye(len(BODIES))
    pull = (found.gm[:, None] * r / distance[..., None] ** 3).sum(1)
    error = np.linalg.norm(change - pull, axis=-1) / np.linalg.norm(pull, axis=-1)
    assert error.max() < 1e-5
    np.testing.assert_array_less(error[BODIES.index("Jupiter") :], 1e-7)


@there
def test_what_physics_keeps():
    found = read("1900-01-01", "2050-01-01", step=100)
    total = solar_system.energy(*found[:4])
    np.testing.assert_allclose(total, total[0], rtol=1e-7)
    turning = angular_momentum(found.position, found.velocity, found.mass)
    np.testing.assert_allclose(
        turning, np.broadcast_to(turning[0], turning.shape), atol=1e-7 * np.linalg.norm(turning[0])
    )
    amount = (found.mass * np.linalg.norm(found.velocity, axis=-1)).sum(-1)
    assert (np.abs(momentum(found.velocity, found.mass)).max(-1) < 1e-5 * amount).all()


@there
def test_the_ends_of_the_ephemeris():
    assert len(read("1899-07-29", "1899-07-30").day) == 2
    assert read("2053-10-01", "2053-10-09").day[-1] == 2471184.5
    for start, stop in (("1899-07-28", "1900-01-01"), ("2050-01-01", "2053-10-10")):
        with pytest.raises(
            ValueError, match="reaches from 1899-07-29 to 2053-10-09; got .*: choose dates within"
        ):
            read(start, stop)


@there
def test_steps_that_are_no_whole_days():
    day = read("2000-01-01", "2000-01-02", step=0.1).day
    assert len(day) == 11
    assert day[-1] == 2451545.5
    assert len(read("2000-01-01", "2000-01-02", step=0.3).day) == 4


def test_julian_days():
    assert julian_day("2000-01-01T12:00") == 2451545.0
    assert julian_day("1858-11-17") == 2400000.5
    for date in ("yesterday", "NaT", "2000-13-01"):
        with pytest.raises(ValueError, match=f"a date is written '1999-08-11' or .*; got '{date}'"):
            julian_day(date)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"unit": "miles"}, "the unit is 'km' or 'AU'; got 'miles'"),
        ({"step": 0}, "a step is a positive number of days; got 0"),
        ({"step": float("nan")}, "a step is a positive number of days; got nan"),
        (
            {"start": "2000-01-02", "stop": "2000-01-01"},
            "the stop 2000-01-01 is before the start 2000-01-02",
        ),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        read(**arguments)


def test_without_the_packages(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"skyfield-data and it is not there: pip install 'steerable\[solar\]'"
    ):
        read()
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)]),
    )
    with pytest.raises(ValueError, match="has no file .*de421.bsp: pip install"):
        read()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "de421.bsp").write_bytes(b"something else")
    with pytest.raises(
        ValueError, match="is not the ephemeris DE421: pip install --force-reinstall"
    ):
        read()


def test_without_the_reader(monkeypatch, tmp_path):
    monkeypatch.setattr(solar_system, "_source", lambda: tmp_path / "de421.bsp")
    monkeypatch.setitem(__import__("sys").modules, "jplephem.spk", None)
    with pytest.raises(
        ValueError, match=r"jplephem and it is not there: pip install 'steerable\[solar\]'"
    ):
        read()
