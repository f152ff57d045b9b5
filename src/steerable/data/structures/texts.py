"""Values of any kind as texts, in the way of extended XYZ.

Values are numbers, truth values (T, F) or texts; several are separated by spaces; everything else
is JSON after `_JSON `. A (3, 3) matrix of a key in `MATRICES` is written by columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

import numpy as np

MATRICES = ("Lattice", "virial", "stress")
JSON = "_JSON "
_WORD = re.compile(r"[^\s,]+")
_TRUTHS = dict.fromkeys(("T", "true", "True", "TRUE"), True)
_TRUTHS |= dict.fromkeys(("F", "false", "False", "FALSE"), False)
_KINDS: tuple[tuple[Callable[[str], object], type], ...] = (
    (int, np.int64),
    (float, np.float64),
    (_TRUTHS.__getitem__, np.bool_),
)
_VOIGT = [0, 5, 4, 5, 1, 3, 4, 3, 2]  # entries of xx, yy, zz, yz, xz, xy in a matrix of nine


def text_of(value: object, key: str = "") -> str:
    """The text that is read back as this value, exactly.

    Args:
        value: a number, a truth value, a text, an array, or what JSON knows.
        key: its name.
    """
    if isinstance(value, str):
        return value if _reads_as_text(value) else JSON + json.dumps(value)
    array = _as_array(value)
    if array is None:
        return JSON + json.dumps(value, default=_plain)
    if array.shape == (3, 3) and key in MATRICES:
        array = array.T.reshape(-1)
    if array.ndim == 0:
        return _word_of(array.item())
    if array.ndim == 1 and len(array) > 1:
        return " ".join([_word_of(number) for number in array.tolist()])
    return JSON + json.dumps(array.tolist())


def _word_of(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "T" if value else "F"
    return repr(value)


def _as_array(value: object) -> np.ndarray | None:
    """Numbers or truth values as an array; None for anything else."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "biuf" else None


def _plain(value: object) -> object:
    """What JSON knows, of arrays and of objects: those have a symbol, or else a text."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return getattr(value, "symbol", None) or str(value)


def _reads_as_text(text: str) -> bool:
    """Whether a text is read back as itself, and not as numbers or truth values."""
    if not text or text != text.strip() or "\n" in text or "\r" in text:
        return False
    if text.startswith(JSON):
        return not isinstance(_from_json(text), str)
    return values_of([text]) == [text]


def values_of(texts: Sequence[str], key: str = "") -> np.ndarray | list[str]:
    """The values of one key in several frames: an array, or texts where they are of no one kind.

    Args:
        texts: of the values.
        key: their name: matrices of some keys are read by columns, `uid` is a text.

    Returns:
        Integers, floating-point numbers or truth values (frame, ...) of one shape, or a list of
        texts.
    """
    if key.lower() == "uid":
        return list(texts)
    if any(text.startswith(JSON) for text in texts):
        return _json_values(texts)
    words = [_WORD.findall(text) for text in texts]
    width = len(words[0])
    array = None
    if width and all(len(row) == width for row in words):
        array = _array([word for row in words for word in row])
    if array is None:
        return [lone_text(text) for text in texts]
    return array if width == 1 else _shaped(array.reshape(-1, width), key)


def _array(words: Sequence[str]) -> np.ndarray | None:
    """Integers, or else floating-point numbers, or else truth values; None for texts."""
    for convert, kind in _KINDS:
        try:
            return np.array([convert(word) for word in words], dtype=kind)
        except (ValueError, OverflowError, KeyError):
            continue
    return None


def lone_text(text: str) -> str:
    """The text of a value that is of no one kind with others: several numbers as JSON."""
    words = _WORD.findall(text)
    array = _array(words) if len(words) > 1 else None
    return text if array is None else JSON + json.dumps(array.tolist())


def _shaped(rows: np.ndarray, key: str) -> np.ndarray:
    if key in MATRICES and rows.shape[1] == 9:
        return rows.reshape(-1, 3, 3).swapaxes(1, 2)
    if key == "stress" and rows.shape[1] == 6:
        return rows[:, _VOIGT].reshape(-1, 3, 3)
    return rows


def _json_values(texts: Sequence[str]) -> np.ndarray | list[str]:
    values = [_from_json(text) for text in texts]
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    if len(arrays) == len(values) and len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    rows = zip(texts, values, strict=True)
    return [value if isinstance(value, str) else text for text, value in rows]


def _from_json(text: str) -> object:
    """What the JSON of a text is; arrays of numbers as such, and other texts as they are."""
    if not text.startswith(JSON):
        return lone_text(text)
    try:
        value = json.loads(text.removeprefix(JSON))
    except ValueError:
        return text
    array = _as_array(value)
    return value if array is None else array


def value_of(text: str) -> object:
    """A text, or what its JSON says if it begins with `_JSON `."""
    if not text.startswith(JSON):
        return text
    try:
        return json.loads(text.removeprefix(JSON))
    except ValueError:
        return text
