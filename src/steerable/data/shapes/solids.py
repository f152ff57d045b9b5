"""Seven kinds of solids with random proportions, as points spread over their surfaces.

z is up.
"""

from collections.abc import Callable

import numpy as np

__all__ = ["SOLIDS", "solids"]

Random = np.random.RandomState  # unlike default_rng it keeps its stream for good


def solids(kind: str, count: int, points: int, seed: int) -> np.ndarray:
    """Draw solids of one kind.

    Args:
        kind: a name in `SOLIDS`.
        count: how many.
        points: independent points on each, uniform in area.
        seed: of the proportions and of the points.

    Returns:
        (count, points, 3) float32.
    """
    random = Random(seed)
    return np.stack([SOLIDS[kind](random, points) for _ in range(count)]).astype(np.float32)


def box(random: Random, points: int) -> np.ndarray:
    """A box whose sides are 0.4 to 1."""
    return _box(random, points, random.uniform(0.4, 1.0, 3))


def capsule(random: Random, points: int) -> np.ndarray:
    """A cylinder of radius 0.3 to 0.5 and height 0.5 to 1.2 between two half spheres."""
    radius, height = random.uniform(0.3, 0.5), random.uniform(0.5, 1.2)
    found = _unit(random, points) * radius
    found[:, 2] += np.sign(found[:, 2]) * height / 2
    on_side = random.uniform(size=points) < height / (height + 2 * radius)
    return np.where(on_side[:, None], _side(random, points, radius, radius, height), found)


def cone(random: Random, points: int) -> np.ndarray:
    """A closed cone, its tip up, of radius 0.4 to 0.8 and height 0.8 to 1.4."""
    return _frustum(random, points, random.uniform(0.4, 0.8), 0.0, random.uniform(0.8, 1.4))


def cross(random: Random, points: int) -> np.ndarray:
    """Three bars at right angles through one centre, of width 0.2 to 0.4 and lengths 0.8 to 1.4."""
    sides = np.full((3, 3), random.uniform(0.2, 0.4))
    np.fill_diagonal(sides, random.uniform(0.8, 1.4, 3))
    area = (sides * np.roll(sides, 1, axis=1)).sum(1)
    found = np.zeros((0, 3))
    while len(found) < points:
        bar = random.choice(3, points, p=area / area.sum())
        drawn = np.stack([_box(random, points, size) for size in sides])[bar, np.arange(points)]
        inside = (
            (np.abs(drawn)[:, None] < sides / 2).all(2).any(1)
        )  # of another bar: strictly, so not of its own
        found = np.concatenate([found, drawn[~inside]])
    return found[:points]


def cylinder(random: Random, points: int) -> np.ndarray:
    """A closed cylinder of radius 0.3 to 0.6 and height 0.6 to 1.4."""
    radius = random.uniform(0.3, 0.6)
    return _frustum(random, points, radius, radius, random.uniform(0.6, 1.4))


def pyramid(random: Random, points: int) -> np.ndarray:
    """A closed pyramid, its tip up, on a square of side 0.6 to 1.2, of height 0.6 to 1.2."""
    side, height = random.uniform(0.6, 1.2, 2)
    slope = np.hypot(side / 2, height)
    on_base = random.uniform(size=points) < side / (side + 2 * slope)
    base = np.append(random.uniform(-side / 2, side / 2, (points, 2)), np.zeros((points, 1)), 1)
    share = np.sqrt(
        random.uniform(size=points)
    )  # of the way from the tip to the base: area grows with its square
    along = random.uniform(-1, 1, points) * share
    face = np.stack([share, along], 1) * side / 2
    turn = random.choice(4, points)
    swapped = (
        np.where((turn % 2 == 0)[:, None], face, face[:, ::-1]) * np.where(turn < 2, 1, -1)[:, None]
    )
    return np.where(on_base[:, None], base, np.append(swapped, (1 - share)[:, None] * height, 1))


def torus(random: Random, points: int) -> np.ndarray:
    """A lying torus of radii 0.5 to 0.8 and 0.1 to 0.3."""
    large, small = random.uniform(0.5, 0.8), random.uniform(0.1, 0.3)
    around, across = random.uniform(0, 2 * np.pi, (2, points))
    # The area of a strip grows with its distance from the axis; an angle that is too near is sent
    # to the other side.
    keep = random.uniform(size=points) < (1 + small / large * np.cos(across)) / 2
    across = np.where(keep, across, across + np.pi)
    distance = large + small * np.cos(across)
    return np.stack(
        [distance * np.cos(around), distance * np.sin(around), small * np.sin(across)], 1
    )


def _box(random: Random, points: int, sides: np.ndarray) -> np.ndarray:
    found = random.uniform(-0.5, 0.5, (points, 3))
    normal = random.choice(
        3, points, p=(1 / sides) / (1 / sides).sum()
    )  # the area of a face is volume / its side
    found[np.arange(points), normal] = random.choice([-0.5, 0.5], points)
    return found * sides


def _frustum(random: Random, points: int, low: float, high: float, height: float) -> np.ndarray:
    """The side and both lids of a cone that is cut off."""
    areas = np.array([(low + high) * np.hypot(low - high, height), low**2, high**2])
    part = random.choice(3, points, p=areas / areas.sum())
    angle, radius = random.uniform(0, 2 * np.pi, points), np.sqrt(random.uniform(size=points))
    radius = radius * np.where(part == 1, low, high)
    lid = np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), np.where(part == 1, -0.5, 0.5) * height], 1
    )
    return np.where((part == 0)[:, None], _side(random, points, low, high, height), lid)


def _side(random: Random, points: int, low: float, high: float, height: float) -> np.ndarray:
    angle, share = random.uniform(0, 2 * np.pi, points), random.uniform(size=points)
    radius = np.sqrt(
        low**2 + share * (high**2 - low**2)
    )  # area grows with the square of the radius
    rise = (
        share * (low + high) / (low + radius)
    )  # equals (radius - low) / (high - low), and is right for low = high
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), (rise - 0.5) * height], 1)


def _unit(random: Random, points: int) -> np.ndarray:
    found = random.normal(size=(points, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


SOLIDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    made.__name__: made for made in (box, capsule, cone, cross, cylinder, pyramid, torus)
}
