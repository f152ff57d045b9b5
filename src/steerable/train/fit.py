"""A training run from settings to a folder."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..deploy import CONFIG, METADATA, STATE, load, write
from .checkpoint import save
from .config import ConfigError, TrainingConfig
from .data_record import PARTS, write_record
from .evaluate import evaluate, record_interrupted
from .fine_tuning import begin_from
from .options import dump_config, load_config
from .run_data import all_parts, open_data, run_data
from .task import Problem
from .tasks.registry import TASKS

if TYPE_CHECKING:
    from rich.console import Console

    from .learner import Learner
    from .recorder import Recorder

# Functions import Lightning and Rich themselves: a network predicts without them.


class RunFolderError(ValueError):
    """A run folder that cannot be used."""


class Interrupted(KeyboardInterrupt):
    """The user stopped the training; the run folder is usable and can be resumed."""


def fit(
    config: Any,
    dataset: Any = None,
    build: Callable[..., nn.Module] | None = None,
    resume: bool = False,
    console: Console | None = None,
    start: Path | str | None = None,
) -> Path:
    """Train a network for a task, test it once, and write everything to the folder `config.run`.

    Args:
        config: the settings, such as a `QM9Config` or a `ShapesConfig`; their type says which task
            it is.
        dataset: what to learn from; the usual data set of the task by default. `pose` of the task
            says what it is.
        build: makes a network from the keyword arguments of the task's own, which is the default.
        resume: go on with the run in `config.run`, to the end that `config.fit` now sets.
        console: where progress is shown; the terminal by default.
        start: a run folder whose weights the training begins with, where names and shapes agree;
            elements, heads and targets may differ. What is taken over is printed.

    Returns:
        The run folder: weights, settings, metadata, `data.json` and `split.csv`, which say what it
        learns from, `log.csv`, `metrics.json`, `predictions.csv`, a state to resume.

    Raises:
        RunFolderError: the folder is in use, cannot be written, or has nothing to resume.
        ConfigError: settings that make no sense, or others than those of the run that is resumed.
        OtherDataError: the run that is resumed was trained on other data.
        Interrupted: the user pressed Ctrl-C; the folder has the best network so far.
    """
    from rich.console import Console

    from .learner import Learner
    from .recorder import Recorder

    run, console = Path(config.run), console or Console()
    if config.fit.accelerator == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "fit.accelerator is cuda, and PyTorch finds no CUDA device: leave it out to train on "
            "the CPU."
        )
    _open(run, config, resume)
    task = TASKS[config.task]
    if resume:
        call = "fit(config, dataset=..., resume=True)"
        dataset, _ = run_data(run, task, config, dataset, call, PARTS)
    else:
        dataset, source = open_data(task, config, dataset)
    problem = task.pose(config, dataset)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.fit.seed)
        model = (build or task.build)(**problem.arguments)
    taken = None if start is None or resume else begin_from(model, start)
    _claim(run, resume)
    write(run / CONFIG, dump_config(config).encode())
    if not resume and (parts := all_parts(task, config, dataset)):
        write_record(run, source, parts)
    device = "cuda" if _uses_cuda(config.fit) else "cpu"
    metadata = _metadata(problem, model, device)
    _announce(console, run, problem, metadata, task.items)
    if taken is not None:
        console.out(taken, highlight=False)
    recorder = Recorder(run, lambda best: save(run, best, metadata, problem.probe), console)
    with _settings(config.fit), torch.random.fork_rng(devices=[]):
        _train(Learner(model, config.fit, problem), recorder, run / STATE if resume else None)
    if recorder.interrupted:
        record_interrupted(run, metadata)
        raise Interrupted(
            f"stopped; {run} has the best network so far. Go on with: steerable train {task.name} "
            f"--resume {run}"
        )
    if task.describe is not None:
        _describe(run, task.describe, problem, build, device)
    evaluate(run, dataset, build, device)
    return run


def _describe(
    run: Path,
    describe: Callable[[nn.Module, Problem], dict[str, Any]],
    problem: Problem,
    build: Callable[..., nn.Module] | None,
    device: str,
) -> None:
    """Add to the metadata what the trained network says of its training set."""
    model, metadata = load(run, build, device)
    text = json.dumps(metadata | describe(model, problem), indent=2)
    write(run / METADATA, f"{text}\n".encode())


def _metadata(problem: Problem, model: nn.Module, device: str) -> dict[str, Any]:
    """The metadata of the problem, with what is known once its network is there."""
    return problem.metadata | {
        "measures": [[measure.name, measure.unit] for measure in problem.measures],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "device": device,
    }


def _announce(
    console: Console, run: Path, problem: Problem, metadata: dict[str, Any], items: str
) -> None:
    """Print what is learned, where to, and the loss if it has several terms."""
    count = f"{len(problem.train.items):,} {items}, {metadata['parameters']:,} parameters"
    console.out(f"{metadata['task']}: {count}, run folder {run}", highlight=False)
    if len(problem.loss.terms) > 1:
        console.out(f"loss: {problem.loss}", highlight=False)


def _train(learner: Learner, recorder: Recorder, state: Path | None) -> None:
    """Run the Lightning engine; what it leaves is what the recorder writes."""
    from lightning.pytorch import Trainer

    from .loggers import make_logger
    from .recorder import stop_on_interrupt

    config = learner.config
    with stop_on_interrupt(recorder):
        trainer = Trainer(
            accelerator="cuda" if _uses_cuda(config) else "cpu",
            devices=1,
            precision="64-true" if config.precision == 64 else "32-true",
            max_epochs=config.epochs,
            gradient_clip_val=config.clip or None,
            deterministic=config.deterministic,
            callbacks=[recorder],
            default_root_dir=recorder.run,
            num_sanity_val_steps=0,
            logger=make_logger(config.logger, recorder.run) or False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(learner, ckpt_path=state, weights_only=True)


def _open(run: Path, config: Any, resume: bool) -> None:
    """Make sure that the run folder may be written and has what is asked of it.

    This comes before any work is done.
    """
    if resume:
        _check_resumable(run, config)
    elif run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise RunFolderError(
            f"{run} exists and is not an empty folder. Resume it with --resume {run}, or set "
            "another --run."
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=run).close()
    except OSError as error:
        raise RunFolderError(
            f"The run folder {run} cannot be written: {error.strerror}. Set another --run."
        ) from error


def _claim(run: Path, resume: bool) -> None:
    """Of two runs that start in one folder at the same moment, stop the second."""
    try:
        (run / CONFIG).touch(exist_ok=resume)
    except FileExistsError:
        raise RunFolderError(f"Another run has just begun in {run}. Set another --run.") from None


def _check_resumable(run: Path, config: Any) -> None:
    if not run.is_dir():
        raise RunFolderError(f"There is no run folder {run} to resume.")
    missing = [name for name in (CONFIG, STATE) if not (run / name).is_file()]
    if missing:
        raise RunFolderError(
            f"{run} has no {' and no '.join(missing)} to resume from. Delete it or train in "
            "another folder."
        )
    try:
        torch.load(run / STATE, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises whatever its first wrong byte makes of it
        raise RunFolderError(
            f"{run / STATE} cannot be read. Delete {run} or train in another folder."
        ) from error
    before = load_config(run / CONFIG, type(config))
    for section in ("data", "model"):
        if getattr(before, section) != getattr(config, section):
            raise ConfigError(
                f"A resumed run keeps its settings of {section}: {run} has "
                f"{getattr(before, section)} and {getattr(config, section)} was asked for. Leave "
                "these options out, or train anew in another folder."
            )


def _uses_cuda(config: TrainingConfig) -> bool:
    """Whether to train on CUDA.

    Never on Apple's devices, which lack the float64 that sums of energies need.
    """
    return config.accelerator == "cuda" or (
        config.accelerator == "auto" and torch.cuda.is_available()
    )


@contextmanager
def _settings(config: TrainingConfig) -> Iterator[None]:
    """Settings of the process while it trains.

    Threads, determinism, and no advertisements from Lightning.
    """
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    loggers = {
        name: logging.getLogger(name).level for name in ("lightning.pytorch", "lightning.fabric")
    }
    torch.set_num_threads(config.threads or threads)
    for name in loggers:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning's own use of PyTorch, and advice to use the device that the user declined.
            warnings.filterwarnings("ignore", r".*LeafSpec.* is deprecated", FutureWarning)
            warnings.filterwarnings("ignore", ".*available but not used")
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        for name, level in loggers.items():
            logging.getLogger(name).setLevel(level)
