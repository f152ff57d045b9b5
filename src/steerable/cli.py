"""The command `steerable`: data, train, evaluate, predict, certify, rollout, demo."""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .arguments import Parser, UsageError
from .cli_data import data
from .cli_predict import predict

# Each command imports what it needs, so that `steerable --help` answers soon.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line.

    Returns:
        The exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    _let_waiting_threads_sleep()
    command = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in command
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            _dispatch([argument for argument in command if argument != "--debug"])
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the reader, such as `head`, has seen enough
    except (ValueError, ArithmeticError, OSError) as error:
        if debug:
            traceback.print_exc()
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(str(error) or "stopped", file=sys.stderr)
        return 130
    return 0


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Print a warning as a line, like errors; those of other packages are for programmers."""
    if category.__module__.startswith("steerable"):
        print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)


def _let_waiting_threads_sleep() -> None:
    """Leave the cores to other programs while OpenMP's threads wait, as `docs/threads.md` says.

    They would spin, and keep the thread that they wait for from its core. OpenMP reads these
    variables once, when torch is imported; what the user has set stays.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        os.environ.setdefault("GOMP_SPINCOUNT", "0")


def train(arguments: list[str]) -> None:
    """Train a network: train TASK [--preset NAME] [--config FILE] [--fit.lr LR] [--resume RUN]."""
    from steerable.train import TASKS, load_config, parse, parser

    name, *rest = arguments or ["nothing"]
    if name not in TASKS:
        raise UsageError(
            f"`steerable train` learns one of {', '.join(TASKS)}; got {name}. Try: train qm9 --help"
        )
    kind = TASKS[name].config
    first = Parser(f"steerable train {name}", add_help=False, allow_abbrev=False)
    first.add_argument("--resume", type=Path)
    first.add_argument("--preset")
    first.add_argument("--from", dest="start", type=Path)
    first.add_argument("--members", type=int)
    args = first.parse_known_args(rest)[0]
    folder = args.resume
    settings = folder / "config.yaml" if folder else None
    before = load_config(settings, kind) if settings and settings.is_file() else None
    if args.preset:
        before = _preset(TASKS[name], args.preset, folder)
    options = parser(kind, f"steerable train {name}", before)
    options.add_argument(
        "--resume", help="run folder to go on with; it keeps its settings of data and model"
    )
    if TASKS[name].settings:
        options.add_argument(
            "--preset", help="begin with the settings that work well for one data.preset"
        )
    options.add_argument(
        "--from", help="run folder whose weights the training begins with, as far as they fit"
    )
    options.add_argument(
        "--members", help="train so many networks that differ in their seeds, in one run folder"
    )
    config = parse(kind, options, rest)
    config.run = str(folder or config.run)
    if args.members is None:
        _learn(config, folder is not None, args.start)
    elif folder:
        raise UsageError(f"Members are resumed one by one: leave --members out, {folder} has its.")
    else:
        _learn_committee(config, args.members, args.start)


def demo(arguments: list[str]) -> None:
    """Learn molecules in minutes, test the network and prove its symmetry: demo [--run DIR]."""
    options = Parser("steerable demo", description=demo.__doc__)
    options.add_argument(
        "--run", help="folder for the run, which must be new or empty (default: runs/qm9-demo)"
    )
    run = options.parse_args(arguments).run or _unused(Path("runs/qm9-demo"))

    from steerable.train.tasks import TASKS, presets

    config = presets.demo(run)
    print(presets.INTRODUCTION)
    metrics, summary = _learn(config, resume=False), TASKS[config.task].summary
    certificate = metrics["certificate"]
    print(presets.comparison(run))
    # The last line is for programs.
    print(
        json.dumps(
            (summary(metrics) if summary else {})
            | {
                "equivariance_float64": certificate["equivariance_float64"],
                "equivariance_float32": certificate["equivariance_float32"],
                "parameters": metrics["parameters"],
                "train_seconds": metrics["train_seconds"],
                "run": run,
            }
        )
    )


def evaluate(arguments: list[str]) -> None:
    """Test a trained network and draw its figures: evaluate RUN [--data FILE] [--units meV]."""
    options = _run_option("evaluate")
    options.add_argument("--units", help="unit of what is shown, such as meV or kcal/mol")
    options.add_argument("--data", help="file with labels to test on, in place of the run's test")
    args = options.parse_args(arguments)

    from steerable.train import evaluate, evaluate_file

    if args.data:
        _show_errors(evaluate_file(args.run, args.data, args.device), args.units)
    else:
        _show(args.run, evaluate(args.run, device=args.device), args.units)


def certify(arguments: list[str]) -> None:
    """Measure how exactly a trained network keeps the symmetries of space: certify RUN."""
    args = _run_option("certify").parse_args(arguments)

    from steerable.train import certify_run

    results = certify_run(args.run, device=args.device)
    for name, pair in results.items():
        if len(results) > 1:
            print(f"{name}:")
        print(pair.float64)
        print(pair.float32)


def rollout(arguments: list[str]) -> None:
    """Let a network of motion lead itself on, and draw it: rollout RUN [--steps N] [--film mp4]."""
    options = _run_option("rollout")
    options.add_argument(
        "--steps", type=int, default=1, help="how many times the interval that was learned"
    )
    options.add_argument("--system", type=int, default=0, help="number of the test system")
    options.add_argument("--film", default="gif", help="gif, or mp4, which needs ffmpeg")
    args = options.parse_args(arguments)

    from steerable.report import check_film, draw_rollout
    from steerable.train import rollout

    check_film(args.film)
    trajectory = rollout(args.run, args.steps, args.system, device=args.device)
    for path in (trajectory, *draw_rollout(trajectory, args.film)):
        print(path)


COMMANDS = {
    command.__name__: command
    for command in (demo, data, train, evaluate, predict, certify, rollout)
}


def _preset(task: Any, preset: str, resumed: Path | None) -> Any:
    """The settings of a preset of a task."""
    if task.settings is None:
        raise UsageError(f"{task.name} has no presets: leave --preset out.")
    if resumed:
        raise UsageError(f"{resumed} has its settings already: leave --preset out to resume it.")
    return task.settings(preset)


def _run_option(command: str) -> Parser:
    options = Parser(f"steerable {command}", description=COMMANDS[command].__doc__)
    options.add_argument("run", type=Path, help="folder that `steerable train` wrote")
    options.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda or cuda:N; by default where the network was trained, if that is here",
    )
    return options


def _dispatch(arguments: list[str]) -> None:
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        print("steerable COMMAND ...: networks that respect the symmetries of space\n")
        print(
            "\n".join(f"  {command:10}{function.__doc__}" for command, function in COMMANDS.items())
        )
        print(
            "\n`steerable COMMAND --help` says more. --debug shows where an error comes from; "
            "--version the version."
        )
    elif name == "--version":
        try:
            print(version("steerable"))
        except PackageNotFoundError:
            print("unknown: steerable runs from its source and is not installed")
    elif name in COMMANDS:
        COMMANDS[name](rest)
    else:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Commands are {', '.join(COMMANDS)}."
        raise UsageError(f"There is no command {name!r}. {hint}")


def _learn_committee(config: Any, members: int, start: Path | None) -> None:
    """Train a committee, and show what the mean of its members reached."""
    from steerable.train import fit_committee

    run = fit_committee(config, members, start=start)
    _show_errors(json.loads((run / "metrics.json").read_text(encoding="utf-8")))


def _learn(config: Any, resume: bool, start: Path | None = None) -> dict[str, Any]:
    """Train, and show what was reached."""
    from steerable.train import fit

    run = fit(config, resume=resume, start=start)
    metrics: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    _show(run, metrics)
    return metrics


def _show_errors(metrics: dict[str, Any], units: str | None = None) -> None:
    """Print the errors of a test and of its baselines, in a unit of the user's choice."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from steerable.deploy import check_units, converted

    test = metrics["test"]
    items, count = next(iter(test.items()))
    title = f"{metrics['task']}: {count:,} test {items}"
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    reached = {"network": test} | {entry["name"]: entry for entry in metrics["baselines"].values()}
    reached |= {f"member {k}": each for k, each in enumerate(metrics.get("each", ()), start=1)}
    measures = {
        key: converted(entry, units)["unit"]
        for key, entry in test.items()
        if isinstance(entry, dict) and "unit" in entry
    }
    check_units(units, [test[key]["unit"] for key in measures])
    table.add_column("")
    for key, unit in measures.items():
        table.add_column(
            f"{key.upper() if len(key) < 5 else key.replace('_', ' ')} [{unit}]", justify="right"
        )
    for name, errors in reached.items():
        table.add_row(
            name,
            *(
                f"{converted(errors[key], units)['value']:#.4g}" if key in errors else ""
                for key in measures
            ),
        )
    Console(markup=False, highlight=False, soft_wrap=True).print(table)


def _show(run: Path, metrics: dict[str, Any], units: str | None = None) -> None:
    """Print the metrics of a run for people, and draw its figures."""
    from rich.console import Console

    from steerable.report import draw, worst_line

    _show_errors(metrics, units)
    certificate = metrics["certificate"]
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for name, worst in metrics["worst"].items():
        console.print(worst_line(name, worst, units))
    console.print(
        f"symmetry {'kept' if certificate['passed'] else 'BROKEN'}: relative error under "
        f"{certificate['elements']} elements of {certificate['group']}, translations and "
        f"permutations {certificate['equivariance_float64']:.1e} (float64), "
        f"{certificate['equivariance_float32']:.1e} (float32)"
    )
    console.print(
        f"{metrics['parameters']:,} parameters, {metrics['train_seconds']:.0f} s of training"
    )
    console.print("\n".join(["figures", *(f"  {path}" for path in draw(run, units))]))


def _unused(folder: Path) -> str:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    name, number = folder, 1
    while name.exists():
        number += 1
        name = folder.with_name(f"{folder.name}-{number}")
    return str(name)


if __name__ == "__main__":
    sys.exit(main())
