"""Properties of one's own structures: from a file, and from a table of SMILES.

    python examples/own_data.py g2 [--seconds 240]       # atomisation energies of 148 molecules
    python examples/own_data.py smiles [--seconds 240]   # log P of small molecules from SMILES
    python examples/own_data.py FILE --target NAME       # any file of structures

The first two write a file (`g2.xyz`, `smiles.csv`) and learn from it, as `steerable train property
--data.train FILE --data.target NAME` does. The errors of the test stand beside those of a mean, of
the composition and of a kernel on distances.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import Any

import ase
import ase.data.g2
import ase.symbols
import ase.units
from ase.io import write

from steerable.data.structures import read
from steerable.train import fit_property

CORES = ("c1ccc({})cc1{}", "C1CC({})CCC1{}", "c1cc({})ncc1{}", "C1CC({})OC1{}", "CC({})C{}")
ENDS = (
    "C",
    "O",
    "N",
    "F",
    "Cl",
    "C#N",
    "C=O",
    "C(=O)O",
    "C(=O)OC",
    "OC",
    "C(=O)N",
    "CO",
    "S",
    "CC",
)


def write_g2(path: Path) -> None:
    """Write the molecules of the G2 test set with their atomisation energies in eV."""
    frames = []
    for name in ase.data.g2.molecule_names:
        entry = ase.data.g2.data[name]
        atoms = ase.Atoms(entry["symbols"], entry["positions"])
        atoms.info = {"name": name, "atomisation_energy": atomisation_energy(entry)}
        frames.append(atoms)
    write(path, frames, format="extxyz")


def atomisation_energy(entry: dict[str, Any]) -> float:
    """The energy in eV that takes a molecule apart, from its heat of formation at 298 K.

    Zero-point energy and thermal corrections are taken out. All entries are in kcal/mol.
    """
    energy = entry["ZPE"] + entry["thermal correction"] - entry["enthalpy"]
    for symbol in ase.symbols.string2symbols(entry["symbols"]):
        atom = ase.data.g2.data[symbol]
        energy += atom["enthalpy"] - atom["thermal correction"]
    return float(energy * ase.units.kcal / ase.units.mol)


def write_smiles(path: Path) -> None:
    """Write SMILES of rings and chains with two groups each, and their log P by RDKit."""
    from rdkit import Chem
    from rdkit.Chem import Crippen

    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", "logp"])
        rows = itertools.product(CORES, ENDS, ENDS)
        smiles = {Chem.CanonSmiles(core.format(one, two)) for core, one, two in rows}
        for text in sorted(smiles):
            writer.writerow([text, f"{Crippen.MolLogP(Chem.MolFromSmiles(text)):.4f}"])


def main() -> None:
    """Write the file that is asked for, and learn from it."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("data", help="g2, smiles, or a file of structures")
    options.add_argument("--target", help="name of the quantity in the file")
    options.add_argument("--seconds", type=float, default=240.0, help="of training")
    options.add_argument("--run", type=Path, help="run folder; a new one by default")
    args = options.parse_args()
    files = {
        "g2": (Path("g2.xyz"), write_g2, "atomisation_energy"),
        "smiles": (Path("smiles.csv"), write_smiles, "logp"),
    }
    path, target = Path(args.data), args.target
    if args.data in files:
        path, make, target = files[args.data]
        make(path)
    network = fit_property(
        read(path), target, run=args.run, training={"max_seconds": args.seconds, "threads": 1}
    )
    metrics = json.loads((network.runs[0] / "metrics.json").read_text())
    rows = {"network": metrics["test"]} | metrics["baselines"]
    for name, errors in rows.items():
        words = "  ".join(
            f"{key} {value['value']:.4g} {value['unit']}"
            for key, value in errors.items()
            if isinstance(value, dict)
        )
        print(f"{errors.get('name', name):30} {words}")


if __name__ == "__main__":
    main()
