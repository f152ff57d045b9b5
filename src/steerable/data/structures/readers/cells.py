"""From the texts of a table to a quantity of numbers, truth values or texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..columns import Column, Per

MISSING = frozenset({"", "nan", "NaN", "NA", "N/A", "n/a", "null", "NULL", "None", "none"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

# What a text is, and how many numbers it has. All texts of a quantity have one kind: the widest.
Kind = tuple[str, int]
NOTHING: Kind = ("nothing", 1)
TEXT: Kind = ("text", 1)


def kind_of(text: str) -> Kind:
    """The kind of one text: `nothing`, `truth`, `integer`, `number` (or several), or `text`."""
    if text in MISSING:
        return NOTHING
    if text in _TRUTHS:
        return "truth", 1
    words = text.split()
    if all(_is_integer(word) for word in words):
        return "integer", len(words)
    if all(_is_number(word) for word in words):
        return "number", len(words)
    return TEXT


def common_kind(first: Kind, second: Kind) -> Kind:
    """The kind that both kinds of text can be read as."""
    if first == second or second == NOTHING:
        return first
    if first == NOTHING:
        return second
    names = {first[0], second[0]}
    if first[1] == second[1] and names == {"integer", "number"}:
        return "number", first[1]
    return TEXT


def column(texts: Sequence[str], kind: Kind, per: Per = "structure") -> Column:
    """The quantity that the texts (row,) write. Missing numbers are `""`, `nan`, `NA`, `null`.

    Args:
        texts: of each row.
        kind: of all texts.
        per: what has a row.
    """
    name, width = kind
    blank = {""} if name == "text" else MISSING
    is_there = np.array([text not in blank for text in texts], dtype=bool)
    shape = (len(texts),) if width == 1 else (len(texts), width)
    if name == "text":
        data = np.array(texts, dtype=str)
    elif name == "truth":
        data = np.array([_TRUTHS.get(text, False) for text in texts], dtype=bool)
    else:
        data = np.full(shape, 0 if name == "integer" else np.nan)
        data = data.astype(np.int64) if name == "integer" else data
        for row in np.flatnonzero(is_there).tolist():
            words = texts[row].split()
            data[row] = words if width > 1 else words[0]
    return Column(data, per, known=None if is_there.all() else is_there)


def _is_integer(word: str) -> bool:
    # Longer integers are read as floating-point numbers, as they do not fit into 64 bits.
    digits = word[1:] if word[0] in "+-" else word
    return len(digits) <= 18 and digits.isascii() and digits.isdigit()


def _is_number(word: str) -> bool:
    if "_" in word:  # Python reads 1_000 as a number, and files mean a name
        return False
    try:
        float(word)
    except ValueError:
        return False
    return True
