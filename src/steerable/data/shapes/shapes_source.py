"""Reading shapes: folders of OFF files such as ModelNet's, and arrays in an .npz file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..cache import Table, cached

if TYPE_CHECKING:
    from torch_geometric.data import Data

__all__ = ["read_arrays", "read_folder", "read_off"]

FORMAT = b"1"  # of the cached table; changing it makes the files be read again
PARTS = ("train", "test")


def read_arrays(path: Path) -> Table:
    """The arrays `points` (or `points_i16`), `label`, `is_test` and `classes` of an .npz file.

    Raises:
        ValueError: the file cannot be read, or an array is missing.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            table = {name.removesuffix("_i16"): archive[name] for name in archive.files}
    except Exception as error:  # a damaged file may raise anything
        raise ValueError(
            f"The shapes {path} cannot be read ({error}): give an .npz file of arrays."
        ) from error
    missing = [name for name in ("points", "label", "is_test", "classes") if name not in table]
    if missing:
        raise ValueError(
            f"The shapes {path} have no {' and no '.join(missing)}: they need points (cloud, "
            "point, 3), label and is_test (cloud,), and classes, the names."
        )
    return table


def read_folder(root: Path, points: int) -> Table:
    """Read clouds of equal size from the OFF files of a folder.

    The files are CLASS/train/*.off and CLASS/test/*.off in `root` or `root`/raw. Meshes are sampled
    with `points` points, uniformly by area. Files that contain only vertices are used as points.
    All clouds are cut to the size of the smallest one. The result is cached.

    Raises:
        ValueError: a class has no file for training or test, or a file is damaged.
    """
    top = root / "raw" if (root / "raw").is_dir() else root
    folders = sorted(folder for folder in top.iterdir() if _is_class(folder))
    if not folders:
        raise ValueError(
            f"{root} has no shapes: they are files CLASS/train/NAME.off and CLASS/test/NAME.off, "
            "as ModelNet10 unpacks."
        )
    files = []
    for label, folder in enumerate(folders):
        for part in PARTS:
            files += [(label, part, path) for path in _off(folder, part)]
    stamp = hashlib.sha256(FORMAT + str(points).encode())
    for _, _, path in files:
        status = path.stat()
        stamp.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode())
    return cached(
        f"shapes-{stamp.hexdigest()[:16]}",
        lambda: _read(files, [folder.name for folder in folders], points),
    )


def _is_class(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in PARTS)


def read_off(path: Path) -> Data:
    """The vertices `pos` (vertex, 3) and triangles `face` (3, triangle) of an OFF file.

    Raises:
        ValueError: the file is damaged.
    """
    from torch_geometric.io.off import parse_off  # takes seconds to import

    try:
        lines = [
            line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()
        ]
        lines = [line for line in lines if line]
        if not lines or not lines[0].startswith("OFF"):
            raise ValueError("it does not begin with OFF")
        # In some files of ModelNet the counts follow OFF without a line break.
        counts = [int(number) for number in (lines[0][3:] or lines[1]).split()]
        end = sum(counts[:2]) + (1 if lines[0][3:] else 2)
        if len(lines) < end:
            raise ValueError(f"it ends after {len(lines)} of {end} lines")
        sides = {line.split()[0] for line in lines[end - counts[1] : end]}
        if not sides <= {"3", "4"}:
            raise ValueError(
                f"it has faces of {max(sides)} corners, but only triangles and quadrilaterals are "
                "supported"
            )
        data = parse_off(lines)
        if data.pos.shape != (counts[0], 3) or not counts[0] or not data.pos.isfinite().all():
            raise ValueError("its vertices are not rows of three finite numbers")
        if data.face.numel() and not 0 <= int(data.face.min()) <= int(data.face.max()) < counts[0]:
            raise ValueError("a face has a vertex that is not there")
    except (ValueError, IndexError, OSError) as error:
        raise ValueError(
            f"{path} is not a whole OFF file ({error}): unpack the data again, or remove it."
        ) from error
    return data


def _off(folder: Path, part: str) -> list[Path]:
    files = sorted((folder / part).glob("*.off"))
    if not files:
        raise ValueError(
            f"The class {folder.name} has no {part}/*.off in {folder}: unpack the data again, or "
            "remove it."
        )
    return files


def _read(files: list[tuple[int, str, Path]], classes: list[str], points: int) -> Table:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # SamplePoints uses PyTorch's global generator
        clouds = [_cloud(path, points) for _, _, path in files]
    size = min(map(len, clouds))
    return {
        "points": torch.stack([cloud[:size] for cloud in clouds]).numpy(),
        "label": np.array([label for label, _, _ in files]),
        "is_test": np.array([part == "test" for _, part, _ in files]),
        "classes": np.array(classes),
    }


def _cloud(path: Path, points: int) -> torch.Tensor:
    """Points (point, 3) of one file, in random order."""
    from torch_geometric.transforms import SamplePoints  # takes a second to import

    data = read_off(path)
    pos: torch.Tensor = data.pos.float()
    if not data.face.numel():
        return pos[torch.randperm(len(pos))[:points]]
    corners = pos[data.face]
    if not (corners[1] - corners[0]).cross(corners[2] - corners[0], dim=1).any():
        raise ValueError(f"The mesh {path} has no area to draw points from: remove it.")
    sampled: torch.Tensor = SamplePoints(points)(data).pos
    return sampled
