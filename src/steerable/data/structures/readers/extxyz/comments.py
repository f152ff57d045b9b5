"""The comment line of a frame: keys, and the texts of their values."""

from __future__ import annotations

import re

from ...texts import text_of

# key, key=value, key="value" or key='value', in which nothing is nested or escaped
_ITEM = re.compile(
    r"""\s*([^\s="'{}\[\]\\]+)
    (?:=(?:"([^"\\]*)"|'([^'\\]*)'|([^\s="'{}\[\]\\]+)))?(?=\s|$)""",
    re.VERBOSE,
)
FREE_TEXT = "comment"


def read_comment(line: str) -> dict[str, str]:
    """The text of each value; `T` for a key without one. A line without any `=` is a comment.

    Raises:
        ValueError: ASE's parser, which reads lines with nested brackets or escapes, refuses it.
    """
    line = line.strip()
    if "=" not in line:
        return {FREE_TEXT: line} if line else {}
    items: dict[str, str] = {}
    position = 0
    while position < len(line):
        match = _ITEM.match(line, position)
        if match is None:
            return _read_by_ase(line)
        key, double, single, bare = match.groups()
        items[key] = double if double is not None else single if single is not None else bare or "T"
        position = match.end()
    return items


def _read_by_ase(line: str) -> dict[str, str]:
    from ase.io.extxyz import key_val_str_to_dict

    return {key: text_of(value, key) for key, value in key_val_str_to_dict(line).items()}
