"""A committee: networks that differ in their seeds, whose spread says how sure they are."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from rich.console import Console

from steerable.deploy import CONFIG, METRICS, load, member_folders, write
from steerable.models import Committee

from .checkpoint import versions
from .config import ConfigError
from .fit import RunFolderError, fit
from .options import load_config
from .run_data import run_data
from .tasks.registry import task_of


def fit_committee(
    config: Any,
    members: int,
    dataset: Any = None,
    console: Console | None = None,
    start: Path | str | None = None,
) -> Path:
    """Train several networks that differ in `fit.seed`, and test their mean.

    Args:
        config: the settings of the first network; its folder holds those of the members.
        members: how many.
        dataset: what to learn from, as in `fit`.
        console: where progress is shown; the terminal by default.
        start: a run whose weights all begin with, as in `fit`.

    Returns:
        The folder: `member-1`, `member-2`, ... are runs, and `metrics.json` has the errors of the
        mean of their predictions.

    Raises:
        ConfigError: fewer than two members.
        RunFolderError: the folder is not new or empty.
    """
    if members < 2:
        raise ConfigError(f"A committee has 2 members or more; got {members}.")
    run = Path(config.run)
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise RunFolderError(
            f"{run} exists and is not an empty folder. Set another --run; a member that was "
            f"stopped goes on with --resume {run / 'member-1'} or its like."
        )
    for number in range(1, members + 1):
        member = copy.deepcopy(config)
        member.run, member.fit.seed = str(run / f"member-{number}"), config.fit.seed + number - 1
        fit(member, dataset, console=console, start=start)
    evaluate_committee(run, dataset)
    return run


def evaluate_committee(
    run: Path | str, dataset: Any = None, device: str = "auto"
) -> dict[str, Any]:
    """Test the mean of the predictions of a committee, and write `metrics.json`.

    Args:
        run: folder of the committee.
        dataset: what it was trained on, as in `evaluate`.
        device: where the networks run.

    Returns:
        The content of `metrics.json`.
    """
    run = Path(run)
    folders = member_folders(run)
    loaded = [load(folder, device=device) for folder in folders]
    metadata = loaded[0][1]
    task = task_of(metadata)
    config = load_config(folders[0] / CONFIG, task.config)
    call = f"evaluate_committee({str(run)!r}, dataset=...)"
    content, _ = run_data(folders[0], task, config, dataset, call)
    model = Committee(network for network, _ in loaded).eval()
    outcome = task.test(model, task.held_out(config, content), metadata)
    singles = [json.loads((folder / METRICS).read_text(encoding="utf-8")) for folder in folders]
    metrics = {
        "format": 1,
        "task": metadata["task"],
        "status": "finished",
        "members": [folder.name for folder in folders],
        "test": outcome.test,
        "baselines": outcome.baselines,
        "each": [single["test"] for single in singles],
        "parameters": sum(single["parameters"] for single in singles),
        "train_seconds": sum(single["train_seconds"] for single in singles),
        "versions": versions(),
    }
    write(run / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())
    return metrics
