"""Learning a property of structures from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Console

from steerable.data.structures import Column, Structures, to_structures
from steerable.deploy import Predictor

from .fit import fit
from .tasks.property import TASK


def fit_property(
    structures: Any,
    target: str | Sequence[str],
    preset: str = "minutes",
    run: Path | str | None = None,
    data: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    start: Path | str | None = None,
    console: Console | None = None,
) -> Predictor:
    """Learn properties of structures, as `steerable train property` does.

    Args:
        structures: `Structures`, a list of ASE's `Atoms`, or of PyG's `Data`.
        target: name of what is learned, a key of `atoms.info` or `atoms.arrays`, or what a
            calculator of ASE returns; or several names.
        preset: `minutes`, `hour` or `night`: how long the training takes.
        run: the run folder, which must be new or empty; `runs/property`, or the first of
            `runs/property-2`, ... that does not exist, by default.
        data: settings of the data, as `{"split": "group"}`: those of `PropertyData`.
        model: settings of the network: those of `PropertySettings`.
        training: settings of the training, as `{"max_seconds": 60}`: those of `PropertyFit`.
        start: a run whose weights the training begins with.
        console: where progress is shown; the terminal by default.

    Returns:
        The trained network, called on structures; `predictor.runs` has the folder with the errors
        of the test, figures and settings.

    Raises:
        ValueError: the target is not there or cannot be learned, or settings make no sense.

    Example::

        predictor = fit_property(atoms, target="gap")
        predictor(other_atoms)["gap"]
    """
    assert TASK.settings is not None
    config = TASK.settings(preset)
    names = target if isinstance(target, str) else ",".join(target)
    config.data = replace(config.data, target=names, **(data or {}))
    config.model = replace(config.model, **(model or {}))
    config.fit = replace(config.fit, **(training or {}))
    config.run = str(unused_folder(Path("runs/property")) if run is None else run)
    folder = fit(config, to_structures(structures), console=console, start=start)
    return Predictor.load(folder)


def unused_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    name, number = folder, 1
    while name.exists():
        number += 1
        name = folder.with_name(f"{folder.name}-{number}")
    return name


_KEPT = ("charge", "spin", "name", "group")  # columns that a training on values reads


class PropertyModel:
    """A property of structures as an estimator with the methods of scikit-learn.

    Args:
        preset: `minutes`, `hour` or `night`: how long `fit` takes.
        run: the run folder, which must be new or empty; a new one by default.
        settings: `data`, `model` and `training` of `fit_property`.

    Example::

        model = PropertyModel().fit(atoms, gaps)
        model.predict(other_atoms)
    """

    def __init__(
        self, preset: str = "minutes", run: Path | str | None = None, **settings: Any
    ) -> None:
        self.preset, self.run, self.settings = preset, run, settings

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"preset": self.preset, "run": self.run} | self.settings

    def set_params(self, **params: Any) -> PropertyModel:
        """Change arguments of the constructor."""
        self.preset = params.pop("preset", self.preset)
        self.run = params.pop("run", self.run)
        self.settings |= params
        return self

    def fit(self, X: Any, y: ArrayLike) -> PropertyModel:
        """Learn values from structures.

        Args:
            X: structures, as in `fit_property`.
            y: a value of each structure (structure, ..), or of each atom of all structures.

        Raises:
            ValueError: there are as many values neither as structures nor as atoms.
        """
        structures, values = to_structures(X), np.asarray(y)
        per = _rows_of(structures, len(values))
        columns = {"y": Column(values, per=per)}  # type: ignore[arg-type]
        others = {name: column for name, column in structures.columns.items() if name in _KEPT}
        self.predictor_ = fit_property(
            structures.with_columns(others | columns),
            "y",
            self.preset,
            self.run,
            console=Console(quiet=True),
            **self.settings,
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The values of structures, as `fit` was given them."""
        return self.predictor_(to_structures(X))["y"]

    def score(self, X: Any, y: ArrayLike) -> float:
        """R2 of the predictions, the share of the variance that is explained.

        Of classes, it is the share of right ones.
        """
        predicted, values = self.predict(X), np.asarray(y)
        if values.dtype.kind in "bUSO":
            return float(np.mean(predicted == values.astype(predicted.dtype)))
        rest = np.sum((values - predicted) ** 2)
        return float(1 - rest / np.sum((values - values.mean(0)) ** 2))


def _rows_of(structures: Structures, count: int) -> str:
    if count == len(structures):
        return "structure"
    if count == len(structures.z):
        return "atom"
    raise ValueError(
        f"y has a value for each of {len(structures)} structures, or for each of their "
        f"{len(structures.z)} atoms; got {count}."
    )
