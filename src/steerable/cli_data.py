"""The command `steerable data`: look at files of structures, convert them, and split them."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import Parser, UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from steerable.data import Split
    from steerable.data.structures import Structures
    from steerable.data.structures.inspection import Inspection

# Each command imports what it needs, so that `steerable --help` answers soon.


def data(arguments: list[str]) -> None:
    """Look at structures in files, convert or split them: data inspect|convert|split FILE ..."""
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        print(f"{data.__doc__}\n")
        print("\n".join(f"  {name:10}{command.__doc__}" for name, command in COMMANDS.items()))
        print("\n`steerable data COMMAND --help` says more.")
    elif name in COMMANDS:
        COMMANDS[name](rest)
    else:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Commands are {', '.join(COMMANDS)}."
        raise UsageError(f"There is no command 'data {name}'. {hint}")


def inspect(arguments: list[str]) -> None:
    """Say what a file has, what may be wrong with it, and how to train: inspect FILE [--json]."""
    options = _options("inspect")
    options.add_argument("--json", action="store_true", help="JSON instead of tables")
    args = options.parse_args(arguments)

    from steerable.data.structures import read_parts
    from steerable.data.structures.inspection import inspect

    inspection = inspect(read_parts(args.file, format=args.format), str(args.file))
    if args.json:
        print(json.dumps(inspection.as_dict(), indent=2))
    else:
        _show(inspection)


def convert(arguments: list[str]) -> None:
    """Write a file in another format, with all quantities bit for bit: convert FILE TARGET."""
    options = _options("convert")
    options.add_argument("target", type=Path, help="file to write: .xyz, .extxyz, .db, .npz")
    options.add_argument("--to", help="extxyz, db or npz, where the name of TARGET does not say it")
    options.add_argument("--force", action="store_true", help="write over a file that exists")
    args = options.parse_args(arguments)
    if args.target.exists() and args.file.exists() and args.target.samefile(args.file):
        raise UsageError(f"{args.target} is the file that is read: give another one to write.")
    _check_new([args.target], args.force)

    from steerable.data.structures import read_parts, write

    written = _Written()
    write(written.passed(read_parts(args.file, format=args.format)), args.target, args.to)
    print(f"{args.target}: {written}")


def split(arguments: list[str]) -> None:
    """Write training, validation and test structures to files: split FILE --output FOLDER."""
    args = _split_options().parse_args(arguments)
    suffix = _suffix(args.file, args.to)
    names = ("train", "validation", "test")
    paths = {name: args.output / f"{name}{suffix}" for name in names}
    _check_new([*paths.values(), args.output / "split.json"], args.force)

    from steerable.data.structures import read, write

    structures = read(args.file, format=args.format)
    parts = _parts(structures, args)
    args.output.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, path in paths.items():
        index = getattr(parts, name)
        if len(index):
            written = _Written()
            write(written.passed([structures.select(index)]), path)
            print(f"{path}: {written}")
            files[name] = {"file": path.name, "rows": index.tolist()}
        else:
            path.unlink(missing_ok=True)  # of a split before
    record = {"source": str(args.file), "sha256": _checksum(args.file)}
    record |= {name: getattr(args, name) for name in ("method", *names, "seed", "gap")}
    text = json.dumps(record | {"structures": len(structures), "parts": files}, indent=2)
    (args.output / "split.json").write_text(f"{text}\n", encoding="utf-8")
    _say_shared(structures, parts)


COMMANDS = {command.__name__: command for command in (inspect, convert, split)}

_METHODS = ("random", "size", "scaffold", "group", "time")


class _Written:
    """Structures that pass by, in words."""

    def __init__(self) -> None:
        self.structures, self.atoms = 0, 0
        self.columns: dict[str, str] = {}

    def passed(self, parts: Iterable[Structures]) -> Iterator[Structures]:
        for part in parts:
            self.structures += len(part)
            self.atoms += len(part.z)
            for name, column in part.columns.items():
                self.columns[name] = f"{name} [{column.unit}]" if column.unit else name
            yield part

    def __str__(self) -> str:
        return ", ".join(
            [f"{self.structures:,} structures", f"{self.atoms:,} atoms", *self.columns.values()]
        )


def _options(command: str) -> Parser:
    options = Parser(f"steerable data {command}", description=COMMANDS[command].__doc__)
    options.add_argument("file", type=Path, help="file or folder of structures")
    options.add_argument("--format", help="format of FILE, where its name does not say it")
    return options


def _split_options() -> Parser:
    options = _options("split")
    options.add_argument(
        "--method",
        default="random",
        help="random, size, scaffold, group, time, or a column; structures that have one value of "
        "it stay together, or --test and --validation name its values: --test hot,cold",
    )
    options.add_argument("--train", default="rest", help="a number, a share such as 0.8, or rest")
    options.add_argument("--validation", default="0.1", help="a number, a share, or rest")
    options.add_argument("--test", default="0.1", help="a number, a share, or rest")
    options.add_argument("--seed", type=int, default=0, help="of random numbers")
    options.add_argument(
        "--gap", type=int, default=0, help="frames between the parts, which none has; for time"
    )
    options.add_argument("--output", type=Path, required=True, help="folder for the files")
    options.add_argument("--to", help="extxyz, db or npz; by default that of FILE if it is one")
    options.add_argument("--force", action="store_true", help="write over files that exist")
    return options


def _say_shared(structures: Structures, parts: Split) -> None:
    """Print which structures are in two parts, however they are turned."""
    from steerable.data.structures import shared_duplicates

    pairs = shared_duplicates(structures, parts)
    if pairs:
        names = [f"{structures.name(b)} = {structures.name(a)}" for a, b in pairs[:10]]
        print(
            f"duplicates: {len(pairs):,} of the structures of validation and test are in an "
            f"earlier part too, up to rotation, shift or order: {', '.join(names)}"
        )


def _check_new(paths: list[Path], force: bool) -> None:
    """Refuse to write over files."""
    for path in paths:
        if path.is_dir():
            raise UsageError(f"{path} is a folder: give a file to write.")
        if path.exists() and not force:
            raise UsageError(f"{path} exists: give another name, or --force to write over it.")


def _suffix(file: Path, format: str | None) -> str:
    """The suffix of files of a format; by default that of a file, if it can be written."""
    if format is not None:
        suffixes = {"extxyz": ".extxyz", "db": ".db", "npz": ".npz"}
        if format not in suffixes:
            raise UsageError(f"--to is one of {', '.join(suffixes)}; got {format}.")
        return suffixes[format]
    suffix = file.suffix.lower()
    return suffix if suffix in (".xyz", ".extxyz", ".db", ".json", ".npz") else ".extxyz"


def _parts(structures: Structures, args: Namespace) -> Split:
    """The split that the options ask for."""
    from steerable.data import structures as room

    if args.method not in (*_METHODS, *structures.columns):
        near = get_close_matches(args.method, (*_METHODS, *structures.columns), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        there = ", ".join(sorted(structures.columns)) or "none"
        raise UsageError(
            f"--method is one of {', '.join(_METHODS)}, or a column of {structures.origin}, which "
            f"has {there}; got {args.method}.{hint}"
        )
    train, validation, test = _amount(args.train), _amount(args.validation), _amount(args.test)
    if args.method not in _METHODS and isinstance(test, list):
        if validation == "rest":
            raise UsageError("--validation is a number, a share or texts where --test is texts.")
        texts = train if isinstance(train, list) else None
        return room.column_split(structures, args.method, test, validation, texts, args.seed)
    for name, amount in (("train", train), ("validation", validation), ("test", test)):
        if isinstance(amount, list):
            raise UsageError(f"--{name} is a number, a share or rest; got {','.join(amount)}.")
    amounts = room.Amounts(train, validation, test)
    if args.method == "random":
        return room.random_split(structures, amounts, args.seed)
    if args.method == "size":
        return room.size_split(structures, amounts)
    if args.method == "scaffold":
        return room.scaffold_split(structures, amounts)
    if args.method == "time":
        return room.time_split(structures, amounts, args.gap)
    by = "" if args.method == "group" else args.method
    return room.group_split(structures, amounts, args.seed, by)


def _amount(text: str) -> Any:
    """A number, a share, `rest`, or the texts that commas separate."""
    if text == "rest":
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return [part.strip() for part in text.split(",")]


def _checksum(path: Path) -> str | None:
    """The SHA-256 of a file; None of a folder."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _show(inspection: Inspection) -> None:
    """Print an inspection for people."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.width = max(console.width, 160)  # tables are cut at the width, and files have none
    console.print("\n".join(_headline(inspection)))
    console.print(_elements(inspection))
    if inspection.columns:
        console.print(_quantities(inspection))
    for column in inspection.columns:
        if column.categories:
            common = ", ".join(f"{text} ({count:,})" for text, count in column.categories)
            more = (column.different or 0) - len(column.categories)
            rest = f" and {more:,} more" if more > 0 else ""
            console.print(f"{column.name}: {common}{rest}")
    if not inspection.suspicions:
        console.print("nothing suspicious")
    for suspicion in inspection.suspicions:
        console.print(f"{suspicion.kind}: {suspicion.meaning}")
        console.print(f"    in {suspicion.where(inspection.structures)}")
    if inspection.command:
        console.print(f"\nto train: {inspection.command}")


def _elements(inspection: Inspection) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("element", box=box.SIMPLE_HEAD)
    for name in ("structures", "atoms"):
        table.add_column(name, justify="right")
    for symbol, element in inspection.elements.items():
        table.add_row(symbol, f"{element.structures:,}", f"{element.atoms:,}")
    return table


def _quantities(inspection: Inspection) -> Table:
    from rich import box
    from rich.table import Table

    table = Table("quantity", "per", "shape", "unit", box=box.SIMPLE_HEAD)
    for name in ("structures", "mean", "spread", "min", "max"):
        table.add_column(name, justify="right")
    for column in inspection.columns:
        shape = " x ".join(map(str, column.shape)) or ("text" if column.mean is None else "1")
        numbers = (column.mean, column.spread, column.min, column.max)
        texts = ["" if number is None else f"{number:.5g}" for number in numbers]
        table.add_row(column.name, column.per, shape, column.unit, f"{column.structures:,}", *texts)
    return table


def _headline(inspection: Inspection) -> list[str]:
    """The facts of a file in some lines."""
    lines = [f"{inspection.source}: {inspection.structures:,} structures"]
    lines[0] += f", {inspection.atoms:,} atoms, {inspection.formulas:,} formulas"
    sizes, density = inspection.sizes, inspection.densities
    if sizes is not None:
        lines.append(f"sizes: {sizes.min:,.0f} to {sizes.max:,.0f} atoms, median {sizes.median:g}")
    if inspection.periodic:
        text = f"periodic: {inspection.periodic:,} structures"
        if density is not None:
            text += f", {density.min:.3g} to {density.max:.3g} g/cm3, median {density.median:.3g}"
        lines.append(text)
    return lines
