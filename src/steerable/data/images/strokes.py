"""Digits drawn with a shaky pen, for tests and first steps without a data set."""

import numpy as np

__all__ = ["strokes"]

_SIZE = 28
_PEN = 1.1  # half the width of the pen in points
# The corners (right, down) of the line of each digit, in a box of width 1 and height 2.
_LINES: tuple[tuple[tuple[float, float], ...], ...] = (
    (
        (0.5, 0.0),
        (0.1, 0.4),
        (0.0, 1.0),
        (0.1, 1.6),
        (0.5, 2.0),
        (0.9, 1.6),
        (1.0, 1.0),
        (0.9, 0.4),
        (0.5, 0.0),
    ),
    ((0.2, 0.5), (0.6, 0.0), (0.6, 2.0)),
    ((0.0, 0.4), (0.5, 0.0), (1.0, 0.5), (0.0, 2.0), (1.0, 2.0)),
    ((0.0, 0.2), (0.6, 0.0), (1.0, 0.5), (0.4, 0.9), (1.0, 1.4), (0.6, 2.0), (0.0, 1.8)),
    ((0.7, 2.0), (0.7, 0.0), (0.0, 1.3), (1.0, 1.3)),
    ((1.0, 0.0), (0.1, 0.0), (0.0, 0.9), (0.7, 0.8), (1.0, 1.4), (0.6, 2.0), (0.0, 1.8)),
    ((0.8, 0.0), (0.2, 0.7), (0.0, 1.4), (0.5, 2.0), (1.0, 1.5), (0.6, 1.0), (0.1, 1.3)),
    ((0.0, 0.0), (1.0, 0.0), (0.4, 2.0), (0.55, 1.5), (0.3, 1.1), (0.9, 1.1)),
    (
        (0.5, 0.9),
        (0.1, 0.4),
        (0.5, 0.0),
        (0.9, 0.4),
        (0.5, 0.9),
        (0.0, 1.5),
        (0.5, 2.0),
        (1.0, 1.5),
        (0.5, 0.9),
    ),
    (
        (0.9, 0.6),
        (0.4, 1.0),
        (0.1, 0.5),
        (0.5, 0.0),
        (0.9, 0.6),
        (0.9, 1.2),
        (0.7, 1.6),
        (0.2, 2.0),
        (0.1, 1.8),
    ),
)


def strokes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the digits 0, 1, .., 9, 0, .. with random size, slant, position and corners.

    Args:
        count: the number of pictures.
        seed: the seed of the random numbers.

    Returns:
        Pictures (count, 28, 28) between 0 and 1, float32, and digits (count,), int64.
    """
    random = np.random.RandomState(seed)
    label = np.arange(count) % len(_LINES)
    rows, columns = np.mgrid[:_SIZE, :_SIZE].astype(np.float64)
    images = np.empty((count, _SIZE, _SIZE), dtype=np.float32)
    for image, digit in zip(images, label, strict=True):
        corners = np.array(_LINES[digit]) - (0.5, 1.0)
        corners += random.normal(0, 0.05, corners.shape)
        size, slant = random.uniform(7.5, 9.5), random.uniform(-0.25, 0.25)
        shift = random.uniform(-1.5, 1.5, 2)
        right = _SIZE / 2 - 0.5 + shift[0] + size * (corners[:, 0] - slant * corners[:, 1])
        down = _SIZE / 2 - 0.5 + shift[1] + size * corners[:, 1]
        sides = np.diff([down, right])
        nearest = np.full((_SIZE, _SIZE), np.inf)
        for k in range(len(corners) - 1):
            distance = _distance(rows - down[k], columns - right[k], *sides[:, k])
            nearest = np.minimum(nearest, distance)
        image[:] = np.clip(_PEN + 0.5 - nearest, 0, 1)
    return images, label


def _distance(x: np.ndarray, y: np.ndarray, along_x: float, along_y: float) -> np.ndarray:
    """The distance of points from the segment between the origin and (along_x, along_y)."""
    share = np.clip((x * along_x + y * along_y) / (along_x**2 + along_y**2 + 1e-12), 0, 1)
    return np.hypot(x - share * along_x, y - share * along_y)
