"""Predictions for the molecules of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from steerable.models import ATOMWISE, Result, named_outputs
from steerable.ops import radius_graph

from .device import placement

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


def predict_frames(model: nn.Module, frames: Sequence[Atoms], size: int = 64) -> Result:
    """The predictions in float64, `size` frames at a time; check them first.

    They are computed where the network is, and returned on the CPU.

    Args:
        model: called as `model(z, pos, batch)`.
        frames: molecules with positions in Angstrom.
        size: frames in a batch.

    Returns:
        A tensor (frame, ...) where the network returns one, else tensors by name. Outputs in
        `ATOMWISE` have a row for each atom of all frames.
    """
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(frames), size):
        for name, value in _predict_batch(model, frames[start : start + size]).items():
            parts.setdefault(name, []).append(value)
    outputs = {name: torch.cat(values) for name, values in parts.items()}
    return outputs["prediction"] if list(outputs) == ["prediction"] else outputs


def _predict_batch(model: nn.Module, frames: Sequence[Atoms]) -> dict[str, Tensor]:
    """The predictions for some frames as one graph, by name."""
    device, dtype = placement(model)
    z = torch.cat([torch.from_numpy(atoms.numbers).long() for atoms in frames])
    pos = torch.cat([torch.from_numpy(atoms.positions).to(dtype) for atoms in frames])
    sizes = torch.tensor([len(atoms) for atoms in frames])
    batch = torch.arange(len(frames)).repeat_interleave(sizes)
    with torch.no_grad():
        outputs = named_outputs(model(z.to(device), pos.to(device), batch.to(device)))
    return {name: value.detach().double().cpu() for name, value in outputs.items()}


@dataclass(frozen=True)
class FilePredictions:
    """The predictions for the items of a file, by name.

    Args:
        items: what they are, in words.
        formulas: what each item is called.
        values: of each name, a number or nested lists of them for each item.
        units: of each name.
    """

    items: str
    formulas: Sequence[str]
    values: Mapping[str, Sequence[Any]]
    units: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """The predictions as plain numbers, texts and lists.

        Of one output the record has the name as `target`, and each item has a `prediction`; of
        several it has `units` and `predictions` by name.
        """
        rows = [{"index": index, "formula": name} for index, name in enumerate(self.formulas)]
        if len(self.values) == 1:
            ((name, values),) = self.values.items()
            items = [row | {"prediction": x} for row, x in zip(rows, values, strict=True)]
            return {"target": name, "unit": self.units[name], self.items: items}
        for index, row in enumerate(rows):
            row["predictions"] = {name: values[index] for name, values in self.values.items()}
        return {"units": dict(self.units), self.items: rows}

    def table(self) -> str:
        """The predictions as text: a column for each output that is one number an item."""
        columns = [
            ["index", *(f"{index:5d}" for index in range(len(self.formulas)))],
            ["formula", *self.formulas],
        ]
        for name, values in self.values.items():
            if all(isinstance(value, float) for value in values):
                column = [f"{name} [{self.units[name]}]", *(f"{value:.6f}" for value in values)]
                columns.append(column)
        padded = []
        for column in columns:
            width = max(map(len, column))
            padded.append([text.ljust(width) for text in column])
        return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))


def predict_molecules(
    model: nn.Module, path: Path | str, elements: Sequence[int], units: Mapping[str, str]
) -> FilePredictions:
    """The predictions for the molecules of a file.

    Args:
        model: called as `model(z, pos, batch)`.
        path: a file that ASE reads.
        elements: atomic numbers that the network was trained on.
        units: of the outputs by name; the one name is that of a result that is one tensor.

    Raises:
        FramesError: the file cannot be used, or the network has no right answer for a molecule.
    """
    frames = read_frames(path)
    check_frames(frames, elements)
    outputs = named_outputs(predict_frames(model, frames), next(iter(units)))
    sizes = [len(atoms) for atoms in frames]
    values: dict[str, list[Any]] = {}
    for name, value in outputs.items():
        if name in ATOMWISE:
            values[name] = [part.tolist() for part in value.split(sizes)]
        else:
            values[name] = value.tolist()
    formulas = [atoms.get_chemical_formula() for atoms in frames]
    return FilePredictions(
        "molecules", formulas, values, {name: units.get(name, "") for name in values}
    )


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
