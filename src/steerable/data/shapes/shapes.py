"""Shapes as point clouds with classes: ModelNet10 and ModelNet40, or random solids."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .shapes_source import read_arrays, read_folder
from .solids import SOLIDS, solids

__all__ = ["Shapes", "normalised", "read_shapes"]

SAMPLED = 2048  # the least number of points that are sampled on each mesh or solid
TRAIN, TEST = 80, 40  # the numbers of solids of each kind


@dataclass(frozen=True)
class Shapes:
    """Point clouds of equal size, centred and of unit radius, with their classes.

    Args:
        points: (cloud, point, 3) float32; z is up.
        label: the class of each cloud (cloud,), int64.
        is_test: whether a cloud belongs to the test part (cloud,), bool.
        classes: the names of the classes.
    """

    points: Tensor
    label: Tensor
    is_test: Tensor
    classes: tuple[str, ...]


def read_shapes(root: Path | str | None = None, points: int = 1024) -> Shapes:
    """Read shapes from files, or create random solids.

    Args:
        root: a folder of OFF files, CLASS/train/NAME.off and CLASS/test/NAME.off, as ModelNet10 and
            ModelNet40 unpack, or a folder that contains them in `raw`, as in
            `torch_geometric.datasets.ModelNet`; or an .npz file with the arrays `points`, `label`,
            `is_test` and `classes`. By default solids are created (80 + 40 of each of seven kinds).
        points: the least number of points of each cloud. Meshes are sampled with 2,048 points, or
            with as many as given here if that is more.

    Raises:
        ValueError: there is nothing at `root`, a class is empty, a file is damaged, or clouds have
            fewer points.
    """
    if root is None:
        return _solids(max(points, SAMPLED))
    root = Path(root)
    if not root.exists():
        raise ValueError(
            f"There are no shapes {root}: give a folder of OFF files (CLASS/train/NAME.off, as "
            "ModelNet10 unpacks) or an .npz file, or leave it out to use random solids."
        )
    table = read_folder(root, max(points, SAMPLED)) if root.is_dir() else read_arrays(root)
    cloud = table["points"]
    label, is_test = table["label"].astype(np.int64), table["is_test"].astype(bool)
    if cloud.ndim != 3 or cloud.shape[2] != 3 or not len(cloud) == len(label) == len(is_test) > 0:
        raise ValueError(
            f"The shapes {root} need points (cloud, point, 3) and a label and is_test for each "
            f"cloud; got {cloud.shape}, {label.shape} and {is_test.shape}."
        )
    if cloud.shape[1] < points:
        raise ValueError(
            f"The clouds of {root} have {cloud.shape[1]} points and {points} were asked for: ask "
            f"for at most {cloud.shape[1]}."
        )
    classes = tuple(str(name) for name in table["classes"])
    _check_classes(root, label, is_test, classes)
    return Shapes(
        normalised(torch.from_numpy(cloud)),
        torch.from_numpy(label),
        torch.from_numpy(is_test),
        classes,
    )


def normalised(points: Tensor) -> Tensor:
    """Translate and scale clouds (cloud, point, 3) to the unit ball; float32.

    The centroid moves to the origin and the farthest point to distance 1. This commutes with
    rotations, unlike the centre and the size of an axis-aligned bounding box.

    Raises:
        ValueError: a cloud has a point that is not finite, or all its points are equal.
    """
    centred = points.double() - points.double().mean(1, keepdim=True)
    radius = torch.linalg.vector_norm(centred, dim=-1).amax(1)
    bad = torch.nonzero(~(radius.isfinite() & (radius > 0))).flatten().tolist()
    if bad:
        raise ValueError(
            "Clouds need finite points that are not all in one place; those with the numbers "
            f"{bad[:5]} have not: remove them."
        )
    return (centred / radius[:, None, None]).float()


def _check_classes(
    root: Path, label: np.ndarray, is_test: np.ndarray, classes: tuple[str, ...]
) -> None:
    if label.min() < 0 or label.max() >= len(classes):
        raise ValueError(
            f"The labels of {root} are numbers from 0 to {len(classes) - 1} (its classes); got "
            f"{label.min()} to {label.max()}."
        )
    for part, rows in (("training", ~is_test), ("test", is_test)):
        present = set(label[rows].tolist())
        empty = [name for k, name in enumerate(classes) if k not in present]
        if empty:
            raise ValueError(
                f"The shapes {root} have no {part} cloud of the class {empty[0]}: remove the class."
            )


def _solids(points: int) -> Shapes:
    clouds = [solids(kind, TRAIN + TEST, points, seed) for seed, kind in enumerate(SOLIDS)]
    label = torch.arange(len(SOLIDS)).repeat_interleave(TRAIN + TEST)
    is_test = (torch.arange(TRAIN + TEST) >= TRAIN).repeat(len(SOLIDS))
    return Shapes(
        normalised(torch.from_numpy(np.concatenate(clouds))), label, is_test, tuple(SOLIDS)
    )
