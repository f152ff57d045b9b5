"""Seven kinds of solids with random proportions, as points on their surfaces; z is up."""

from collections.abc import Callable

import numpy as np

__all__ = ["SOLIDS", "solids"]

Random = np.random.RandomState  # its stream, unlike default_rng's, is the same in every NumPy


def solids(kind: str, count: int, points: int, seed: int) -> np.ndarray:
    """Create random solids of one kind.

    Args:
        kind: a name in `SOLIDS`.
        count: the number of solids.
        points: the number of independent points on each, uniform by area.
        seed: the seed of the proportions and of the points.

    Returns:
        (count, points, 3) float32.
    """
    random = Random(seed)
    return np.stack([SOLIDS[kind](random, points) for _ in range(count)]).astype(np.float32)


def box(random: Random, points: int) -> np.ndarray:
    """A box with sides of 0.4 to 1."""
    return _box(random, points, random.uniform(0.4, 1.0, 3))


def capsule(random: Random, points: int) -> np.ndarray:
    """A cylinder of radius 0.3 to 0.5 and height 0.5 to 1.2 between two half spheres."""
    radius, height = random.uniform(0.3, 0.5), random.uniform(0.5, 1.2)
    on_caps = _unit(random, points) * radius
    on_caps[:, 2] += np.sign(on_caps[:, 2]) * height / 2
    is_side = random.uniform(size=points) < height / (height + 2 * radius)
    return np.where(is_side[:, None], _side(random, points, radius, radius, height), on_caps)


def cone(random: Random, points: int) -> np.ndarray:
    """A closed cone with its tip up, of radius 0.4 to 0.8 and height 0.8 to 1.4."""
    return _frustum(random, points, random.uniform(0.4, 0.8), 0.0, random.uniform(0.8, 1.4))


def cross(random: Random, points: int) -> np.ndarray:
    """Three perpendicular bars through one centre, of width 0.2 to 0.4 and length 0.8 to 1.4."""
    sides = np.full((3, 3), random.uniform(0.2, 0.4))
    np.fill_diagonal(sides, random.uniform(0.8, 1.4, 3))
    area = (sides * np.roll(sides, 1, axis=1)).sum(1)
    surface = np.zeros((0, 3))
    while len(surface) < points:
        bar = random.choice(3, points, p=area / area.sum())
        candidates = np.stack([_box(random, points, size) for size in sides])
        candidates = candidates[bar, np.arange(points)]
        # Points inside another bar are rejected. Strictly inside, hence never by their own bar.
        inside = (np.abs(candidates)[:, None] < sides / 2).all(2).any(1)
        surface = np.concatenate([surface, candidates[~inside]])
    return surface[:points]


def cylinder(random: Random, points: int) -> np.ndarray:
    """A closed cylinder of radius 0.3 to 0.6 and height 0.6 to 1.4."""
    radius = random.uniform(0.3, 0.6)
    return _frustum(random, points, radius, radius, random.uniform(0.6, 1.4))


def pyramid(random: Random, points: int) -> np.ndarray:
    """A closed pyramid with its tip up, on a square of side 0.6 to 1.2, of height 0.6 to 1.2."""
    side, height = random.uniform(0.6, 1.2, 2)
    slope = np.hypot(side / 2, height)
    on_base = random.uniform(size=points) < side / (side + 2 * slope)
    base = np.append(random.uniform(-side / 2, side / 2, (points, 2)), np.zeros((points, 1)), 1)
    # The share of the way from the tip to the base; the area grows with its square.
    share = np.sqrt(random.uniform(size=points))
    along = random.uniform(-1, 1, points) * share
    face = np.stack([share, along], 1) * side / 2
    # One of the four faces: x and y exchanged, or both signs changed.
    turn = random.choice(4, points)
    face = np.where((turn % 2 == 0)[:, None], face, face[:, ::-1])
    face = face * np.where(turn < 2, 1, -1)[:, None]
    return np.where(on_base[:, None], base, np.append(face, (1 - share)[:, None] * height, 1))


def torus(random: Random, points: int) -> np.ndarray:
    """A horizontal torus of radii 0.5 to 0.8 and 0.1 to 0.3."""
    large, small = random.uniform(0.5, 0.8), random.uniform(0.1, 0.3)
    around, across = random.uniform(0, 2 * np.pi, (2, points))
    # The area of a strip is proportional to its distance from the axis: angles near the axis are
    # moved to the opposite side with the complementary probability.
    keep = random.uniform(size=points) < (1 + small / large * np.cos(across)) / 2
    across = np.where(keep, across, across + np.pi)
    distance = large + small * np.cos(across)
    return np.stack(
        [distance * np.cos(around), distance * np.sin(around), small * np.sin(across)], 1
    )


def _box(random: Random, points: int, sides: np.ndarray) -> np.ndarray:
    unit = random.uniform(-0.5, 0.5, (points, 3))
    # The area of a face is the volume divided by the side along its normal.
    normal = random.choice(3, points, p=(1 / sides) / (1 / sides).sum())
    unit[np.arange(points), normal] = random.choice([-0.5, 0.5], points)
    return unit * sides


def _frustum(random: Random, points: int, low: float, high: float, height: float) -> np.ndarray:
    """The side and both ends of a truncated cone."""
    areas = np.array([(low + high) * np.hypot(low - high, height), low**2, high**2])
    part = random.choice(3, points, p=areas / areas.sum())
    angle, radius = random.uniform(0, 2 * np.pi, points), np.sqrt(random.uniform(size=points))
    radius = radius * np.where(part == 1, low, high)
    end = np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), np.where(part == 1, -0.5, 0.5) * height], 1
    )
    return np.where((part == 0)[:, None], _side(random, points, low, high, height), end)


def _side(random: Random, points: int, low: float, high: float, height: float) -> np.ndarray:
    angle, share = random.uniform(0, 2 * np.pi, points), random.uniform(size=points)
    # The area grows with the square of the radius.
    radius = np.sqrt(low**2 + share * (high**2 - low**2))
    # Equal to (radius - low) / (high - low), but also correct for low = high.
    rise = share * (low + high) / (low + radius)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), (rise - 0.5) * height], 1)


def _unit(random: Random, points: int) -> np.ndarray:
    vectors = random.normal(size=(points, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


SOLIDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    solid.__name__: solid for solid in (box, capsule, cone, cross, cylinder, pyramid, torus)
}
