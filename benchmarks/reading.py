"""Reading extended XYZ: streaming, from the cache, and as ASE reads it.

100,000 frames of 20 atoms with energies and forces, as ASE writes them: rows of equal width. A pass
reads the whole file. ASE streams with `iread`.
"""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import ase.io
import numpy as np
from harness import Case, Job, measure, parser, write

from steerable.data.structures import read, read_parts

ATOMS = 20
ELEMENTS = ("H", "C", "N", "O", "Cl")


def frames(count: int) -> Iterator[np.ndarray]:
    """Positions and forces (atom, 6) of each frame, with 8 digits after the point."""
    generator = np.random.default_rng(0)
    for _ in range(count):
        yield generator.normal(size=(ATOMS, 6)).round(8)


def write_file(path: Path, count: int) -> None:
    generator = np.random.default_rng(1)
    symbols = [f"{name:<2}" for name in generator.choice(ELEMENTS, ATOMS)]
    with path.open("w") as stream:
        for frame in frames(count):
            energy = float(generator.normal())
            stream.write(f"{ATOMS}\nProperties=species:S:1:pos:R:3:forces:R:3 energy={energy}\n")
            for symbol, row in zip(symbols, frame, strict=True):
                stream.write(symbol + "".join([f" {number:16.8f}" for number in row]) + "\n")


def deviation(positions: np.ndarray, count: int) -> float:
    exact = np.concatenate([frame[:, :3] for frame in frames(count)])
    return float(np.abs(positions - exact).max() / np.abs(exact).max())


def ours(path: Path, count: int) -> Job:
    def run() -> int:
        return sum(len(part) for part in read_parts(path))

    def error() -> float:
        return deviation(next(read_parts(path, count)).pos, count)

    return Job({"read": run}, error)


def ours_from_cache(path: Path, count: int) -> Job:
    def error() -> float:
        return deviation(read(path, cache=True).pos[: count * ATOMS], count)

    return Job({"read": partial(read, path, cache=True)}, error)


def ase_stream(path: Path, count: int) -> Job:
    def run() -> int:
        return sum(1 for _ in ase.io.iread(path, index=":"))

    def error() -> float:
        atoms = islice(ase.io.iread(path, index=":"), count)
        return deviation(np.concatenate([one.positions for one in atoms]), count)

    return Job({"read": run}, error)


def main() -> None:
    options = parser(__doc__).parse_args()
    count = 2_000 if options.quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STEERABLE_CACHE"] = folder
        path = Path(folder) / "frames.extxyz"
        write_file(path, count)
        rivals = {
            "steerable, streaming": ours,
            "steerable, from the cache": ours_from_cache,
            "ase.io.iread": ase_stream,
        }
        jobs = {name: partial(build, path, 100) for name, build in rivals.items()}
        name = f"extxyz, {count} frames of {ATOMS} atoms"
        write(measure([Case(name, jobs, rounds=1)], options), options)


if __name__ == "__main__":
    main()
