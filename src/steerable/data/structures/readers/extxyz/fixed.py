"""Tables of numbers in columns of equal width, read by arithmetic on their characters.

A row is a symbol and numbers with a fixed point, as `%-2s %16.8f %16.8f` writes it. All digits of a
number, read as one integer, are below 2⁵³ and so exact in float64; one division by a power of ten,
which is exact up to 10²², rounds correctly. This is the number that `float` returns.

Source: W. D. Clinger, How to read floating point numbers accurately, PLDI 1990.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

_SPACE, _SIGN, _DIGIT, _POINT, _LETTER, _OTHER = range(6)
_LARGEST_POWER = 22  # of ten, that is exact in float64


def _classes() -> np.ndarray:
    """The class of each byte."""
    table = np.full(256, _OTHER, dtype=np.uint8)
    for text, number in (
        (b" \t\r\n", _SPACE),
        (b"-", _SIGN),
        (b"0123456789", _DIGIT),
        (b".", _POINT),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", _LETTER),
    ):
        table[list(text)] = number
    return table


_CLASSES = _classes()
_NUMBER = re.compile(rb"\s+-?(\d*)(\.?)(\d*)(?=\s)")


class FixedRows(NamedTuple):
    """Symbols (row,) of at most 4 bytes, and numbers (row, column)."""

    symbols: np.ndarray
    numbers: np.ndarray


class _Cell(NamedTuple):
    """The characters of a number: from the space before it to its end; `point` is its point."""

    start: int
    point: int
    end: int


def read_fixed(text: bytes, width: int) -> FixedRows | None:
    """The symbol and the numbers of each row, or None where the rows are not of this kind.

    Args:
        text: rows of one length, each with the end of its line.
        width: numbers in a row.
    """
    length = text.find(b"\n") + 1
    if not length or len(text) % length:
        return None
    table = np.frombuffer(text, dtype=np.uint8).reshape(-1, length)
    classes = _CLASSES[table]
    symbol = _symbol_width(classes)
    cells = _cells(text[:length], symbol, width)
    if not symbol or cells is None or not _is_regular(classes, symbol, cells):
        return None
    numbers = _numbers(table, classes, cells)
    if numbers is None:
        return None
    symbols = np.ascontiguousarray(table[:, :symbol]).view(f"S{symbol}")[:, 0]
    return FixedRows(symbols, numbers)


def _symbol_width(classes: np.ndarray) -> int:
    """How many characters the longest symbol has; 0 if the rows do not begin with symbols."""
    letters = (classes[:, :4] == _LETTER).any(0)
    width = int(np.argmin(letters)) if not letters.all() else 0
    return 0 if letters[width:].any() else width


def _cells(row: bytes, symbol: int, width: int) -> list[_Cell] | None:
    """The cells of the numbers of the first row."""
    cells = []
    position = symbol
    for _ in range(width):
        match = _NUMBER.match(row, position)
        if match is None or len(match[3]) > _LARGEST_POWER or not match[1] + match[3]:
            return None
        cells.append(_Cell(position, match.end(1), match.end()))
        position = match.end()
    return cells if not row[position:].strip() else None


def _is_regular(classes: np.ndarray, symbol: int, cells: list[_Cell]) -> bool:
    """Whether all rows have their numbers in these cells."""
    names = classes[:, :symbol]
    if not (((names == _LETTER) | (names == _SPACE)).all() and (names[:, 0] == _LETTER).all()):
        return False
    if not (classes[:, cells[-1].end :] == _SPACE).all():
        return False
    for cell in cells:
        # Spaces, then at most one sign, then digits: the classes ascend, and no sign follows one.
        before = classes[:, cell.start : cell.point]
        left, right = before[:, :-1], before[:, 1:]
        if not ((before[:, 0] == _SPACE).all() and (right >= left).all()):
            return False
        if (before > _DIGIT).any() or ((left == _SIGN) & (right == _SIGN)).any():
            return False
        if cell.end > cell.point:
            if not (classes[:, cell.point] == _POINT).all():
                return False
            if not (classes[:, cell.point + 1 : cell.end] == _DIGIT).all():
                return False
        if not (classes[:, cell.end - 1] >= _DIGIT).all():
            return False
    return True


def _numbers(table: np.ndarray, classes: np.ndarray, cells: list[_Cell]) -> np.ndarray | None:
    """The numbers (row, column), or None where one has too many digits."""
    first, last = cells[0].start, cells[-1].end
    powers = np.zeros((last - first, len(cells)))
    scale = np.ones(len(cells))
    for k, cell in enumerate(cells):
        places = [*range(cell.start, cell.point), *range(cell.point + 1, cell.end)]
        for power, place in enumerate(reversed(places)):
            powers[place - first, k] = 10.0 ** min(power, _LARGEST_POWER)
        scale[k] = 10.0 ** max(cell.end - cell.point - 1, 0)
    is_digit = classes[:, first:last] == _DIGIT
    digits = np.where(is_digit, table[:, first:last] - np.uint8(ord("0")), np.uint8(0))
    integers = digits.astype(np.float64) @ powers
    if (integers >= 2.0**53).any():
        return None
    numbers = integers / scale
    is_negative = np.empty(numbers.shape, dtype=bool)
    for k, cell in enumerate(cells):
        is_negative[:, k] = (classes[:, cell.start : cell.point] == _SIGN).any(1)
    return np.where(is_negative, -numbers, numbers)
