"""The rows of CSV, TSV and .smi as texts."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ReadError
from .files import open_text, plain_name


def read_rows(path: Path) -> Iterator[list[str]]:
    """The names of the columns, then the texts of each row that is not empty.

    Commas, semicolons or tabs separate columns, whichever the first line has most of. A .smi has
    SMILES and, after a space, a name; it needs no names of columns.

    Args:
        path: of the file, which may be compressed.

    Raises:
        ReadError: there are no columns, two have one name, or the text is not in UTF-8.
    """
    rows = _spaced(path) if plain_name(path).lower().endswith(".smi") else _delimited(path)
    try:
        names = next(rows, [])
        if not any(names):
            raise ReadError(f"{path}: the first line has no names of columns.")
        for name in names:
            if names.count(name) > 1:
                raise ReadError(f"{path}: two columns or more are called {name!r}; rename them.")
        yield names
        yield from rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadError(f"{path}: the text cannot be read, is it UTF-8? {error}") from None


def _delimited(path: Path) -> Iterator[list[str]]:
    with open_text(path) as stream:
        head = stream.readline()
        separator = max(",;\t", key=head.count)
        # The mark of the order of bytes, which some programs put before the text.
        yield _stripped(next(csv.reader([head.removeprefix("\ufeff")], delimiter=separator), []))
        for row in csv.reader(stream, delimiter=separator):
            if any(row):
                yield _stripped(row)


def _spaced(path: Path) -> Iterator[list[str]]:
    names = ["smiles", "name"]
    with open_text(path) as stream:
        yield names
        for number, line in enumerate(stream):
            words = line.split(maxsplit=1)
            if words and not (number == 0 and words[0].lower() == "smiles"):
                yield _stripped([*words, ""][:2])


def _stripped(row: Sequence[str]) -> list[str]:
    return [text.strip() for text in row]
