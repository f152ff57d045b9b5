"""Predictions as extended XYZ."""

from __future__ import annotations

import io

import numpy as np

from steerable.data.structures import Column, write_extxyz_part

from ..predict import Predictions
from .writer import Writer


class ExtxyzWriter(Writer):
    """The structures of the input with all that they have, and the predictions beside it.

    A prediction is `predicted_NAME`, so that it never takes the place of a label; what is noted of
    a structure is its `note`.
    """

    def write(self, part: Predictions) -> None:
        columns = {f"predicted_{name}": column for name, column in part.columns.items()}
        notes = np.array(part.notes)
        if any(part.notes):
            columns["note"] = Column(notes, known=notes != "")
        stream = io.StringIO()
        structures = part.structures.with_columns({**part.structures.columns, **columns})
        write_extxyz_part(stream, structures)
        self.put(stream.getvalue())
