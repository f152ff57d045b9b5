"""Molecules in space from SMILES, by RDKit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from ..cache import Table, cached

_GAP = 3.0  # Angstrom between fragments of one SMILES, before they are relaxed together
_STEPS = 2000  # of the minimizer, at most
_VERSION = "1"  # of what is kept in the cache; another one whenever positions change


class SmilesError(ValueError):
    """A SMILES that gives no molecule in space; the message is the reason."""


@dataclass(frozen=True, eq=False)
class Conformers:
    """One molecule in one shape or more, the one of the lowest energy first.

    Args:
        canonical: SMILES that are the same for all ways to write the molecule.
        z: atomic numbers (atom,): those of the SMILES in their order, then hydrogens.
        pos: positions (conformer, atom, 3) in Angstrom.
        charge: the formal charge.
        spin: the multiplicity 2S + 1, all radicals parallel.
    """

    canonical: str
    z: np.ndarray
    pos: np.ndarray
    charge: int
    spin: int


def embed(smiles: str, conformers: int = 1, seed: int = 0) -> Conformers:
    """Compute conformers of a molecule: ETKDGv3, then a minimum of MMFF94, or else of UFF.

    Stereocentres and double bonds are as the SMILES say; those that they leave open follow from
    the seed. Where no force field has parameters for an atom, the positions of ETKDG are returned.

    Args:
        smiles: of the molecule, with implicit hydrogens as usual.
        conformers: how many to compute; fewer are returned if RDKit finds no more.
        seed: of the random numbers. The same versions and seed give the same positions.

    Raises:
        ImportError: RDKit is not installed.
        SmilesError: the SMILES cannot be parsed, break the rules of valence, or cannot be embedded.

    Source: Wang et al., J. Chem. Inf. Model. 60 (2020) 2044; Halgren, J. Comput. Chem. 17 (1996)
    490.
    """
    chem, base, geometry = _rdkit()
    with base.BlockLogs():
        molecule = chem.AddHs(_molecule(chem, smiles))
        z = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.int64)
        if not z.all() or not len(z):
            raise SmilesError("there are no atoms." if not len(z) else "an atom is no element.")
        parameters = geometry.ETKDGv3()
        # RDKit multiplies it by the number of the conformer: it must not be 0, nor a small one.
        parameters.randomSeed = 1 + np.random.RandomState(seed).randint(2**20)
        if not geometry.EmbedMultipleConfs(molecule, conformers, parameters):
            parameters.useRandomCoords = True
            if not geometry.EmbedMultipleConfs(molecule, conformers, parameters):
                raise SmilesError("RDKit finds no positions that the bonds and angles allow.")
        _separate(chem, molecule)
        energies = _relax(molecule)
    shapes = [conformer.GetPositions() for conformer in molecule.GetConformers()]
    radicals = sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    return Conformers(
        chem.MolToSmiles(chem.RemoveHs(molecule)),
        z,
        np.stack(shapes)[np.argsort(energies, kind="stable")],
        chem.GetFormalCharge(molecule),
        1 + radicals,
    )


def embed_all(
    smiles: Sequence[str], conformers: int = 1, seed: int = 0
) -> list[Conformers | SmilesError]:
    """Conformers of many molecules, or the error of a molecule, in the order of the SMILES.

    They are computed once and kept in the cache folder.

    Args:
        smiles: of the molecules.
        conformers: how many of each.
        seed: of the random numbers.

    Raises:
        ImportError: RDKit is not installed.
    """
    version = _rdkit()[1].rdkitVersion
    unique = list(dict.fromkeys(smiles))
    text = "\n".join([_VERSION, version, str(conformers), str(seed), *unique])
    key = f"conformers-{sha256(text.encode()).hexdigest()[:32]}"
    results = _unpacked(cached(key, lambda: _packed(unique, conformers, seed)))
    by_text = dict(zip(unique, results, strict=True))
    return [by_text[text] for text in smiles]


def scaffolds(smiles: Sequence[str]) -> list[str]:
    """The SMILES of the rings of each molecule and of what links them; empty without rings.

    Raises:
        ImportError: RDKit is not installed.
        SmilesError: a SMILES cannot be parsed.
    """
    chem, base, _ = _rdkit()
    from rdkit.Chem.Scaffolds import MurckoScaffold

    with base.BlockLogs():
        molecules = [_molecule(chem, text) for text in smiles]
    return [
        MurckoScaffold.MurckoScaffoldSmiles(mol=one, includeChirality=False) for one in molecules
    ]


def _packed(smiles: Sequence[str], conformers: int, seed: int) -> Table:
    """Arrays of all molecules: flat positions, and for each row its atoms and conformers."""
    z, pos, rows = [], [], []
    texts, reasons = [], []
    for text in smiles:
        try:
            one = embed(text, conformers, seed)
        except SmilesError as error:
            rows.append((0, 0, 0, 0))
            texts.append("")
            reasons.append(str(error))
            continue
        z.append(one.z)
        pos.append(one.pos.reshape(-1, 3))
        rows.append((len(one.z), len(one.pos), one.charge, one.spin))
        texts.append(one.canonical)
        reasons.append("")
    return {
        "z": np.concatenate([np.zeros(0, dtype=np.int64), *z]),
        "pos": np.concatenate([np.zeros((0, 3)), *pos]),
        "rows": np.array(rows, dtype=np.int64).reshape(-1, 4),
        "canonical": np.array(texts, dtype=str),
        "reason": np.array(reasons, dtype=str),
    }


def _unpacked(table: Table) -> list[Conformers | SmilesError]:
    results: list[Conformers | SmilesError] = []
    first_atom = first_place = 0
    for row, (atoms, shapes, charge, spin) in enumerate(table["rows"].tolist()):
        if not shapes:
            results.append(SmilesError(str(table["reason"][row])))
            continue
        z = table["z"][first_atom : first_atom + atoms]
        pos = table["pos"][first_place : first_place + atoms * shapes]
        first_atom, first_place = first_atom + atoms, first_place + atoms * shapes
        canonical = str(table["canonical"][row])
        results.append(Conformers(canonical, z, pos.reshape(shapes, atoms, 3), charge, spin))
    return results


def _rdkit() -> tuple[Any, Any, Any]:
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem import rdDistGeom
    except ImportError:
        raise ImportError(
            "Molecules are computed from SMILES by RDKit, which is not installed: pip install "
            "'steerable[smiles]'."
        ) from None
    return Chem, rdBase, rdDistGeom


def _molecule(chem: Any, smiles: str) -> Any:
    molecule = chem.MolFromSmiles(smiles)
    if molecule is not None:
        return molecule
    molecule = chem.MolFromSmiles(smiles, sanitize=False)
    if molecule is None:
        raise SmilesError("the SMILES cannot be parsed.")
    try:
        chem.SanitizeMol(molecule)
    except ValueError as error:
        raise SmilesError(f"{error}.") from None
    raise SmilesError("the SMILES cannot be parsed.")


def _separate(chem: Any, molecule: Any) -> None:
    """Put the fragments of a molecule side by side: RDKit embeds all of them at the origin."""
    fragments = [np.array(atoms) for atoms in chem.GetMolFrags(molecule)]
    if len(fragments) == 1:
        return
    for conformer in molecule.GetConformers():
        pos, edge = conformer.GetPositions(), 0.0
        for atoms in fragments:
            pos[atoms, 0] += edge - pos[atoms, 0].min()
            edge = pos[atoms, 0].max() + _GAP
        conformer.SetPositions(pos)


def _relax(molecule: Any) -> np.ndarray:
    """Move the atoms to a minimum of the energy, and return the energy of each conformer."""
    from rdkit.Chem import rdForceFieldHelpers

    options: dict[str, Any] = {"maxIters": _STEPS, "ignoreInterfragInteractions": False}
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
        results = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(molecule, **options)
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
        results = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(molecule, **options)
    else:
        return np.zeros(molecule.GetNumConformers())
    return np.array([energy for _, energy in results])
