"""Which writer writes a file."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import IO

from .writer import Heading, Writer

# Each is imported when it is asked for.
FORMATS = {
    "table": (".table", "TableWriter"),
    "csv": (".csv", "CsvWriter"),
    "json": (".json", "JsonWriter"),
    "npz": (".npz", "NpzWriter"),
    "extxyz": (".extxyz", "ExtxyzWriter"),
}
SUFFIXES = {".csv": "csv", ".json": "json", ".npz": "npz", ".extxyz": "extxyz", ".xyz": "extxyz"}


def choose_format(output: Path | None, format: str | None) -> str:
    """The format of a file of predictions: that which is asked for, or that of the suffix.

    Without either it is a table.

    Raises:
        ValueError: there is no such format.
    """
    if format is None:
        return SUFFIXES.get(output.suffix.lower(), "table") if output else "table"
    if format not in FORMATS:
        raise ValueError(f"The format of predictions is one of {', '.join(FORMATS)}; got {format}.")
    return format


def open_writer(format: str, file: IO[bytes], heading: Heading) -> Writer:
    """The writer of a format."""
    module, name = FORMATS[format]
    kind: type[Writer] = getattr(import_module(module, __package__), name)
    return kind(file, heading)
