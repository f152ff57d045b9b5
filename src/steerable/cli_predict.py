"""The command `steerable predict`: what a run learned, for structures in files and SMILES."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from .arguments import Parser, UsageError

if TYPE_CHECKING:
    from .deploy import Predictions, Predictor, Source, Writer

# Everything heavy is imported when it is needed, so that predictions begin soon.


def predict(arguments: list[str]) -> None:
    """Predict what a run learned, for structures: predict RUN FILE ... [--output FILE]."""
    args = _options().parse_args(arguments)
    if args.output and (args.output.is_dir() or not args.output.parent.is_dir()):
        raise UsageError(f"--output is a file in a folder that exists; got {args.output}.")

    from .deploy import (
        METADATA,
        Heading,
        Predictor,
        choose_format,
        find_sources,
        member_folders,
        open_writer,
    )

    format = choose_format(args.output, "json" if args.json else args.format)
    if format == "npz" and not args.output:
        raise UsageError("An npz is a file: give --output FILE.npz.")
    # Folders of finished runs, and of committees of them, predict together with the first.
    members = [name for name in args.inputs if (member_folders(name)[0] / METADATA).is_file()]
    runs, inputs = [args.run, *members], [name for name in args.inputs if name not in members]
    if not inputs:
        raise UsageError("Give a file, a folder or SMILES to predict after the run.")
    ignored = [name for name in ("charge", "spin") if getattr(args, f"ignore_{name}")]
    network = Predictor.load(*runs, device=args.device, ignored=ignored)
    is_plain = "targets" not in network.metadata
    heading = Heading(runs, network.targets, "molecules" if is_plain else "structures", is_plain)
    sources = find_sources(inputs, args.smiles, args.skip_bad)
    summary = _Summary()
    with (
        _output(args.output) as file,
        _progress(args.output is not None) as advance,
        _left_out(summary.skip),
    ):
        writer = open_writer(format, file, heading)
        for part in _predicted(network, sources, args.skip_bad):
            writer.write(part)
            summary.add(part)
            advance(len(part.index))
        summary.check()
        writer.close()
    summary.show(writer)
    if args.output:
        print(f"wrote {args.output} ({_structures(summary.count)})", file=sys.stderr)


def _options() -> Parser:
    options = Parser("steerable predict", description=predict.__doc__)
    options.add_argument("run", help="folder that `steerable train` wrote")
    options.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE",
        help="files of structures (positions in Angstrom), folders of files, or SMILES; folders "
        "of other runs predict together with the first",
    )
    options.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda or cuda:N; by default where the network was trained, if that is here",
    )
    options.add_argument("--output", type=Path, help="file to write instead of the terminal")
    options.add_argument(
        "--format",
        help="table, csv, json, extxyz or npz; by default the suffix of --output, or else a table",
    )
    options.add_argument("--json", action="store_true", help="the same as --format json")
    options.add_argument("--smiles", action="store_true", help="every FILE is SMILES")
    options.add_argument(
        "--skip-bad", action="store_true", help="leave out structures that cannot be predicted"
    )
    for name in ("charge", "spin"):
        options.add_argument(
            f"--ignore-{name}",
            action="store_true",
            help=f"predict structures with a {name} by a network that does not take it",
        )
    return options


def _predicted(network: Predictor, sources: list[Source], skip_bad: bool) -> Iterator[Predictions]:
    """The predictions for all sources, numbered through them all."""
    from dataclasses import replace

    first = 0
    for source in sources:
        count = 0
        try:
            for part in network.predict(source.parts(), skip_bad):
                count += len(part.index) + len(part.skipped)
                yield replace(part, index=part.index + first)
        except ValueError as error:
            if len(sources) == 1 or source.name in str(error):
                raise
            raise type(error)(f"{source.name}: {error}") from error
        first += count


class _Summary:
    """What is said on stderr when all predictions are there."""

    def __init__(self) -> None:
        self.count, self.unlike, self.skipped = 0, 0, 0
        self.first = ""

    def add(self, part: Predictions) -> None:
        """Count some predictions, and say at once what was skipped."""
        self.count += len(part.index)
        for index, note in zip(part.index.tolist(), part.notes, strict=True):
            self.unlike += bool(note)
            self.first = self.first or (f"number {index} has {note}" if note else "")
        for reason in part.skipped:
            self.skip(reason)

    def skip(self, reason: str) -> None:
        """Count a structure that is left out, and say why."""
        self.skipped += 1
        print(f"skipped: {reason}", file=sys.stderr)

    def check(self) -> None:
        """Raise ValueError if nothing could be predicted."""
        if not self.count:
            raise UsageError(f"None of {_structures(self.skipped)} can be predicted.")

    def show(self, writer: Writer) -> None:
        """Print the lines."""
        total = _structures(self.count + self.skipped)
        if self.skipped:
            print(f"skipped {self.skipped:,} of {total}", file=sys.stderr)
        if self.unlike:
            print(
                f"warning: {self.unlike:,} of {_structures(self.count)} are unlike the training "
                f"set, as their notes say; {self.first}",
                file=sys.stderr,
            )
        if writer.left_out:
            print(
                f"left out of the table: {', '.join(sorted(writer.left_out))}; --format csv, json, "
                "extxyz or npz has all",
                file=sys.stderr,
            )


def _structures(count: int) -> str:
    return f"{count:,} structure{'' if count == 1 else 's'}"


@contextmanager
def _left_out(skip: Callable[[str], None]) -> Iterator[None]:
    """Call a function with each row that a reader leaves out, in place of a warning."""
    import warnings

    from .data.structures import FailureWarning

    show = warnings.showwarning

    def say(message: Warning | str, *arguments: Any, **options: Any) -> None:
        if isinstance(message, FailureWarning):
            for failure in message.failures:
                skip(str(failure))
        else:
            show(message, *arguments, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("always", FailureWarning)
        warnings.showwarning = say
        yield


@contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    """Where the predictions go: a file, which is written as a whole, or the terminal."""
    if path is not None:
        from .deploy import whole_file

        with whole_file(path) as file:
            yield file
        return
    sys.stdout.flush()
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextmanager
def _progress(to_file: bool) -> Iterator[Callable[[int], Any]]:
    """What is called with the number of structures that are ready, and shows it in a terminal."""
    if not sys.stderr.isatty() or not (to_file or not sys.stdout.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.completed:,} structures"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("predict", total=None)
        yield lambda count: progress.advance(task, count)
