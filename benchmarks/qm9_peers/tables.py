"""The results in a folder as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MS = [
    "| network | ms/step, CPU (least) | wall | starts in s | parameters |",
    "|---|---|---|---|---|",
]
RUNS = [
    "| network | parameters | optimiser, lr | batch | seed | ms/step | epochs | CPU s | "
    "validation MAE at 25 / 50 / 75 / 100 % | test MAE | test RMSE |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
]


def write_tables(results: Path) -> None:
    """Print the milliseconds and the runs, best first, and write them to `table.md`."""
    path = results / "ms.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    lines = [*MS, *map(_ms, sorted(rows.items(), key=lambda item: item[1]["cpu"]))]
    runs = [json.loads(path.read_text()) for path in results.glob("*-seed*.json")]
    for seconds in sorted({run["seconds"] for run in runs}):
        same = [run for run in runs if run["seconds"] == seconds]
        same.sort(key=lambda run: run["history"][-1]["validation_mae"])
        lines += ["", f"U0_atom, {seconds:g} core seconds, eV", "", *RUNS, *map(_run, same)]
    text = "\n".join(lines) + "\n"
    (results / "table.md").write_text(text)
    print(text)


def _ms(row: tuple[str, dict[str, Any]]) -> str:
    name, values = row
    return (
        f"| {name} | {values['cpu']:.1f} ({values['cpu_least']:.1f}) | {values['wall']:.1f} "
        f"| {values['start_seconds']:.0f} | {values['parameters']:,} |"
    )


def _run(run: dict[str, Any]) -> str:
    recipe, history = run["recipe"], run["history"]
    epochs = recipe["steps"] * recipe["batch_size"] / run["molecules"]
    validation = " / ".join(f"{line['validation_mae']:.4f}" for line in history)
    test = [f"{run[key]:.4f}" if key in run else "-" for key in ("test_mae", "test_rmse")]
    return (
        f"| {run['network']} | {run['parameters']:,} | {run['optimizer']} {recipe['lr']:g} "
        f"| {recipe['batch_size']} | {recipe['seed']} | {run['ms']:.1f} | {epochs:.1f} "
        f"| {history[-1]['cpu_seconds']:.0f} | {validation} | {' | '.join(test)} |"
    )
