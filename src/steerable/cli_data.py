"""The command `steerable data`: look at files of structures, convert them, and split them."""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from .arguments import Parser, UsageError

if TYPE_CHECKING:
    from rich.table import Table

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


COMMANDS = {command.__name__: command for command in (inspect,)}


def _options(command: str) -> Parser:
    options = Parser(f"steerable data {command}", description=COMMANDS[command].__doc__)
    options.add_argument("file", type=Path, help="file or folder of structures")
    options.add_argument("--format", help="format of the file, where its name does not say it")
    return options


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
