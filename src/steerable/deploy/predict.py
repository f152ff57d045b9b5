"""Predictions for the molecules of a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from steerable.ops import radius_graph

if TYPE_CHECKING:
    from ase import Atoms

# ASE takes a second to import, so only what needs it does.

COINCIDENT = 0.1  # Angstrom: no two nuclei of a molecule are that close


class FramesError(ValueError):
    """A file of molecules that cannot be used."""


def read_frames(path: Path | str) -> list[Atoms]:
    """All frames of a file that ASE can read.

    Raises:
        FramesError: the file is missing, or ASE cannot read it, or finds no molecule in it.
    """
    from ase.io import read

    if not Path(path).is_file():
        raise FramesError(f"There is no file {path}.")
    try:
        frames = read(path, index=":")
    except Exception as error:  # ASE's readers raise whatever a wrong line makes of them
        raise FramesError(
            f"ASE cannot read {path} ({type(error).__name__}: {' '.join(str(error).split())}). "
            "Give a format that it knows, such as .xyz; `ase info --formats` lists them."
        ) from error
    if not frames:
        raise FramesError(f"ASE finds no molecule in {path}.")
    return list(frames)


def check_frames(frames: Sequence[Atoms], elements: Sequence[int]) -> None:
    """Refuse frames for which a network of molecules with these elements has no right answer.

    Raises:
        FramesError: naming the frame, and the element or atom.
    """
    for index, atoms in enumerate(frames):
        fault = _fault(atoms, set(elements))
        if fault:
            raise FramesError(f"Frame {index} ({atoms.get_chemical_formula() or 'empty'}) {fault}")


def predict_frames(model: nn.Module, frames: Sequence[Atoms], size: int = 64) -> Tensor:
    """The predictions (frame,) in float64, `size` frames at a time; check them first."""
    dtype = next(model.parameters()).dtype
    found = []
    for start in range(0, len(frames), size):
        part = frames[start : start + size]
        z = torch.cat([torch.from_numpy(atoms.numbers).long() for atoms in part])
        pos = torch.cat([torch.from_numpy(atoms.positions).to(dtype) for atoms in part])
        batch = torch.arange(len(part)).repeat_interleave(
            torch.tensor([len(atoms) for atoms in part])
        )
        with torch.no_grad():
            found.append(model(z, pos, batch).double())
    return torch.cat(found)


def _symbols(numbers: Sequence[int]) -> str:
    from ase.data import chemical_symbols

    return ", ".join(chemical_symbols[z] for z in numbers)


def _fault(atoms: Any, elements: set[int]) -> str:
    """What is wrong with a frame, and what to do; empty if nothing is."""
    unknown = sorted(set(atoms.numbers.tolist()) - elements)
    finite = torch.from_numpy(atoms.positions).isfinite().all(1)
    if not len(atoms):
        return "has no atoms: remove it."
    if unknown:
        return (
            f"has {_symbols(unknown)}, and the network was trained on {_symbols(sorted(elements))} "
            "alone: remove the frame, or train a network on such molecules."
        )
    if not finite.all():
        return (
            f"has a position that is NaN or infinite: that of atom {int((~finite).nonzero()[0])}."
        )
    if atoms.pbc.any():
        return (
            "is periodic, and the network knows isolated molecules alone: unset its pbc if it is "
            "one in a box."
        )
    close = radius_graph(torch.from_numpy(atoms.positions), COINCIDENT)
    if close.numel():
        first, second = min(close.T.tolist())
        return (
            f"has the atoms {first} and {second} in one place (closer than {COINCIDENT} Angstrom)."
        )
    return ""
