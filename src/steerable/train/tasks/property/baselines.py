"""What is known without a network: means, compositions, and similar structures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist

from steerable.data.structures import (
    Structures,
    Target,
    concatenate,
    neighbours_of,
    target_values,
)

from .targets import element_counts

_BINS, _REACH = 24, 6.0  # of the histograms of distances, up to a distance in Angstrom
_MOST_PAIRS = 8  # elements of which each pair has a histogram of its own
_MOST_TRAINING = 2000  # structures that the kernel is made of
_WIDTHS, _RIDGES = (0.5, 1.0, 2.0, 4.0), (1e-8, 1e-6, 1e-4, 1e-2, 1.0)

Baseline = Callable[[Structures, Structures, Target], np.ndarray | None]


def mean(train: Structures, test: Structures, target: Target) -> np.ndarray:
    """The mean of the training set, for every row of the test; of classes, their frequencies.

    Frequencies are returned as logits.
    """
    values = _known(target_values(train, target))
    if target.kind == "class":
        counts = np.bincount(values.astype(np.int64), minlength=len(target.classes))
        values = np.log(np.maximum(counts, 0.5) / len(values))[None]
    elif target.kind == "labels":
        share = values.mean(0).clip(0.5 / len(values), 1 - 0.5 / len(values))
        values = np.log(share / (1 - share))[None]
    rows = len(test) if target.per == "structure" else len(test.z)
    return np.broadcast_to(values.mean(0), (rows, *values.shape[1:]))


def by_composition(train: Structures, test: Structures, target: Target) -> np.ndarray | None:
    """Least squares on the numbers of each element, or on their shares; of atoms, the mean of each.

    None for targets that the composition says nothing of, which are vectors and classes.
    """
    if target.kind not in ("scalar", "tensor"):
        return None
    values = target_values(train, target)
    if target.kind == "scalar":
        return _by_composition(train, test, target, values)
    sizes = _by_composition(train, test, target, np.trace(values, axis1=1, axis2=2) / 3)
    return sizes[:, None, None] * np.eye(3)


def by_similarity(train: Structures, test: Structures, target: Target) -> np.ndarray | None:
    """Kernel ridge regression on the numbers of elements and on histograms of distances.

    Its width and its ridge are those of the least error of leaving one out. None for targets of
    which no invariant of a structure says anything: vectors, tensors, classes and those of atoms.

    Source: leaving one out in closed form is that of Rasmussen & Williams 2006, eq. 5.12.
    """
    if target.kind != "scalar" or target.per == "atom":
        return None
    values = target_values(train, target)
    rows = np.flatnonzero(~np.isnan(values))
    rows = rows[np.random.RandomState(0).permutation(len(rows))[:_MOST_TRAINING]]
    first = _by_composition(train, train, target, values)[rows]
    both = concatenate([train.select(rows).with_columns({}), test.with_columns({})])
    features = _features(both, np.unique(train.z), target)
    features /= features[: len(rows)].std(0) + 1e-9
    features /= np.sqrt(features.shape[1])
    known, asked = features[: len(rows)], features[len(rows) :]
    near, far = cdist(known, known), cdist(asked, known)
    unit = np.median(near[near > 0]) if (near > 0).any() else 1.0
    rest, least, best = values[rows] - first, np.inf, np.zeros(len(test))
    for width in _WIDTHS:
        eigenvalues, vectors = np.linalg.eigh(np.exp(-((near / (width * unit)) ** 2)))
        for ridge in _RIDGES:
            inverse = (vectors / (eigenvalues.clip(min=0) + ridge)) @ vectors.T
            weights = inverse @ rest
            error = np.abs(weights / np.diag(inverse)).mean()
            if error < least:
                least, best = error, np.exp(-((far / (width * unit)) ** 2)) @ weights
    return _by_composition(train, test, target, values) + best


BASELINES: dict[str, tuple[str, Baseline]] = {
    "mean": ("mean of the training set", mean),
    "composition": ("least squares on composition", by_composition),
    "similarity": ("kernel ridge on distances", by_similarity),
}


def _known(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values).reshape(len(values), -1).any(1)]


def _by_composition(
    train: Structures, test: Structures, target: Target, values: np.ndarray
) -> np.ndarray:
    known = ~np.isnan(values)
    elements = np.unique(train.z)
    counts, asked = _counts(train, elements, target), _counts(test, elements, target)
    fit = np.linalg.lstsq(counts[known], values[known], rcond=None)[0]
    return np.asarray(asked @ fit)


def _counts(structures: Structures, elements: np.ndarray, target: Target) -> np.ndarray:
    if target.per == "atom":
        return (structures.z[:, None] == elements).astype(np.float64)
    counts = element_counts(structures, elements)
    return counts if target.is_extensive else counts / counts.sum(1, keepdims=True)


def _features(structures: Structures, elements: np.ndarray, target: Target) -> np.ndarray:
    """Numbers of elements and histograms of distances (structure, feature).

    They are sums over atoms for extensive targets, and means for others.
    """
    counts = element_counts(structures, elements)
    edge_index, shifts, ends_of_edges = neighbours_of(structures, _REACH)
    owner = np.repeat(np.arange(len(structures)), ends_of_edges.diff().numpy())
    source, end = edge_index.numpy() + structures.ends[owner]
    offset = structures.pos[source] - structures.pos[end]
    offset = offset + np.einsum("ei,eij->ej", shifts.numpy(), structures.cell[owner])
    bins = (np.linalg.norm(offset, axis=1) * (_BINS / _REACH)).astype(np.int64).clip(max=_BINS - 1)
    kinds = np.zeros(len(bins), dtype=np.int64)
    if len(elements) <= _MOST_PAIRS:
        ends = np.searchsorted(elements, structures.z[np.stack([source, end])])
        kinds = ends.min(0) * len(elements) + ends.max(0)
    width = _BINS * (len(elements) ** 2 if len(elements) <= _MOST_PAIRS else 1)
    histogram = np.zeros((len(structures), width))
    np.add.at(histogram, (owner, kinds * _BINS + bins), 1)
    features = np.concatenate([counts, histogram[:, histogram.any(0)]], axis=1)
    return features if target.is_extensive else features / counts.sum(1, keepdims=True)
