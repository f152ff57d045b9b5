"""The data set of a run: that which it was trained on, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .data_record import PARTS, PYTHON, DataRecord, DataSource, Part, PartRecord, read_record
from .task import Task

SHOWN = 8  # digits of a checksum in a message


class OtherDataError(ValueError):
    """Data that are not those of the run."""


def open_data(task: Task, config: Any, dataset: Any = None) -> tuple[Any, DataSource]:
    """A data set, or else the usual one of the settings, and where it comes from."""
    if dataset is None and task.usual is not None:
        return task.usual(config)
    return dataset, PYTHON


def all_parts(task: Task, config: Any, dataset: Any) -> dict[str, Part]:
    """The parts of a data set by name; none of a task that does not tell them."""
    if task.part is None:
        return {}
    return {name: task.part(config, dataset, name) for name in PARTS}


def run_data(
    run: Path,
    task: Task,
    config: Any,
    dataset: Any,
    call: str,
    names: Sequence[str] = ("test",),
) -> tuple[Any, Part | None]:
    """The data set of a run, after a comparison with the record of the run.

    A run of an earlier version has no record, and nothing is compared.

    Args:
        run: the run folder.
        task: of the run.
        config: its settings.
        dataset: what it was trained on; the usual data set of the settings if that is None.
        call: the function of `steerable.train` that takes a data set, as the error tells it.
        names: of the parts that are compared.

    Returns:
        The data set, and the last of these parts; None where the task does not tell its parts.

    Raises:
        OtherDataError: the run was trained on other data.
    """
    record = read_record(run)
    try:
        content, source = open_data(task, config, dataset)
        parts = {name: task.part(config, content, name) for name in names} if task.part else {}
    except (ValueError, IndexError) as error:
        if record is None:
            raise
        source = DataSource("") if dataset is None else PYTHON
        words = f"now comes the error: {str(error).rstrip('.')}."
        raise _refusal(run, task, record, source, words, call) from error
    if record is None:
        return content, parts.get(names[-1])
    for name, part in parts.items():
        current = PartRecord.of(part)
        if not record.fits(name, current, source):
            words = (
                f"{source.name} has other {name} {task.items} ({current.count:,}, sha256 "
                f"{current.sha256[:SHOWN]})."
            )
            raise _refusal(run, task, record, source, words, call)
    return content, parts.get(names[-1])


def _refusal(
    run: Path, task: Task, record: DataRecord, source: DataSource, words: str, call: str
) -> OtherDataError:
    """The error that says what a run was trained on, what came, and what to do."""
    trained = (
        f"{run} was trained on {record.source.name} ({record.count:,} {task.items}, sha256 "
        f"{record.sha256[:SHOWN]})"
    )
    files = record.source.files
    changed = [path for path, sha256 in files.items() if source.files.get(path) != sha256]
    if record.source == PYTHON:
        advice = f"Give it the same data: steerable.train.{call}"
    elif source == PYTHON:
        advice = "Leave dataset out, or give it the same data."
    elif changed:
        advice = f"Bring {', '.join(changed[:3])} back as it was, or train anew in another folder."
    else:
        advice = "Bring these data back as they were, or train anew in another folder."
    return OtherDataError(f"{trained}, and {words} {advice}")
