"""How far the features of a structure are from those of a training set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from steerable.field import Field
from steerable.ops import segment_mean

from .device import placement

_AXES = 16  # principal axes that are kept
_LEAST, _MOST = 20, 2000  # structures of which a mean and axes are measured
_FAR = 1.2  # times the largest distance in the training set, beyond which a structure is far


@dataclass(frozen=True, eq=False)
class FeatureReference:
    """A Gaussian of the features of a training set, averaged over the atoms of each structure.

    d^2 = sum_k (a_k . (x - mean))^2 / variance_k + |rest|^2 / noise

    The rest is what the axes a_k do not span; noise is its mean variance in one direction.

    Args:
        mean: (feature,).
        axes: principal axes in rows (axis, feature).
        variances: along them (axis,).
        noise: in any other direction.
        quantiles: of d over the training set, from the least to the largest.

    Source: Tipping and Bishop, J. R. Stat. Soc. B 61 (1999) 611.
    """

    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    noise: float
    quantiles: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray) -> FeatureReference:
        """The Gaussian of features (structure, feature)."""
        mean = features.mean(0)
        _, values, axes = np.linalg.svd(features - mean, full_matrices=False)
        variances = values**2 / len(features)
        count = min(_AXES, max(len(variances) - 1, 1))
        floor = 1e-6 * variances.sum() / features.shape[1] + 1e-30
        noise = float(variances[count:].sum() / max(features.shape[1] - count, 1))
        along = np.maximum(variances[:count], floor)
        reference = cls(mean, axes[:count], along, max(noise, floor), np.zeros(1))
        distance = reference.distances(features)
        quantiles = np.quantile(distance, np.linspace(0, 1, 101))
        return cls(mean, axes[:count], along, max(noise, floor), quantiles)

    def distances(self, features: np.ndarray) -> np.ndarray:
        """D of features (structure, feature)."""
        offset = features - self.mean
        along = offset @ self.axes.T
        rest = np.maximum((offset**2).sum(1) - (along**2).sum(1), 0)
        return np.asarray(np.sqrt((along**2 / self.variances).sum(1) + rest / self.noise))

    def percentiles(self, features: np.ndarray) -> np.ndarray:
        """How many per cent of the training set are nearer to its mean (structure,)."""
        steps = np.arange(len(self.quantiles))
        return np.interp(self.distances(features), self.quantiles, steps)

    def notes(self, features: np.ndarray) -> list[str]:
        """Which structures are farther than any of the training set, in words."""
        ratio = self.distances(features) / max(float(self.quantiles[-1]), 1e-12)
        return [
            f"features {value:.1f} times as far as any of training" if value > _FAR else ""
            for value in ratio.tolist()
        ]

    def as_dict(self) -> dict[str, Any]:
        """The reference as JSON has it, in seven digits."""
        arrays = {name: _rounded(value) for name, value in vars(self).items()}
        return {name: value.tolist() for name, value in arrays.items()}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> FeatureReference:
        """The reference from what `as_dict` returns."""
        mean, axes, variances = [np.array(values[name]) for name in ("mean", "axes", "variances")]
        return cls(mean, axes, variances, values["noise"], np.array(values["quantiles"]))


def feature_reference(model: nn.Module, batches: Iterable[Any]) -> FeatureReference | None:
    """The reference of a training set, of which the first 2,000 structures are taken.

    Args:
        model: called with the inputs of a batch, in eval mode.
        batches: the inputs of the network, `z`, `pos`, `batch` and others, and last the labels.

    Returns:
        None where the network shows no features, or there are too few structures.
    """
    device, dtype = placement(model)
    rows: list[np.ndarray] = []
    for *inputs, _ in batches:
        moved = [
            None if x is None else x.to(device, dtype if x.is_floating_point() else None)
            for x in inputs
        ]
        owner = moved[2]
        if owner is None:
            return None
        with pooled_features(model, owner) as pooled, torch.no_grad():
            model(*moved)
        rows += pooled
        if not rows or sum(map(len, rows)) >= _MOST:
            break
    if sum(map(len, rows)) < _LEAST:
        return None
    return FeatureReference.fit(np.concatenate(rows)[:_MOST])


@contextmanager
def pooled_features(model: nn.Module, owner: Tensor) -> Iterator[list[np.ndarray]]:
    """The mean invariant features (structure, feature) of what the network is called on.

    Args:
        model: its features are what its part `blocks` returns; without it there are none.
        owner: structure of every atom (atom,).

    Returns:
        A list that has them after the call.
    """
    pooled: list[np.ndarray] = []
    blocks = getattr(model, "blocks", None)
    field = getattr(blocks, "field_out", None)
    if not isinstance(blocks, nn.Module) or not isinstance(field, Field):
        yield pooled
        return
    mask = torch.tensor([flag for term in field for flag in [term.irrep.is_trivial] * term.dim])

    def keep(module: nn.Module, arguments: Any, output: Tensor) -> None:
        invariants = output.detach()[:, mask.to(output.device)].double()
        pooled.append(segment_mean(invariants, owner, int(owner.max()) + 1).cpu().numpy())

    handle = blocks.register_forward_hook(keep)
    try:
        yield pooled
    finally:
        handle.remove()


def _rounded(value: Any) -> np.ndarray:
    digits = np.asarray(value, dtype=np.float64)
    return np.array([float(f"{number:.7g}") for number in digits.reshape(-1)]).reshape(digits.shape)
