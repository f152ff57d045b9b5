"""Parts of one file as one set of structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..columns import Column
from ..structures import Structures, concatenate
from ..texts import lone_text, text_of


def joined(parts: Sequence[Structures]) -> Structures:
    """All structures of the parts. A quantity that is of no one kind and shape becomes texts.

    Raises:
        ValueError: a quantity of atoms has another shape in another part, or the units differ.
    """
    if len(parts) == 1:
        return parts[0]
    kinds: dict[str, set[tuple[bool, tuple[int, ...]]]] = {}
    for part in parts:
        for name, column in part.columns.items():
            if column.per == "structure":
                kinds.setdefault(name, set()).add((_is_text(column), column.shape))
    mixed = {name for name, several in kinds.items() if len(several) > 1}
    return concatenate([_with_texts(part, mixed) for part in parts] if mixed else parts)


def _is_text(column: Column) -> bool:
    return column.data.dtype.kind == "U"


def _with_texts(part: Structures, names: set[str]) -> Structures:
    columns = dict(part.columns)
    for name in names & set(columns):
        column = columns[name]
        if _is_text(column):
            continue
        rows = zip(column.data, column.missing, strict=True)
        texts = ["" if missing else lone_text(text_of(value)) for value, missing in rows]
        columns[name] = replace(column, data=np.array(texts))
    return part.with_columns(columns)
