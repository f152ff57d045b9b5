"""The 19 targets of QM9.

Their names, units and order in PyTorch Geometric, and their columns in the source.
"""

import difflib
from dataclasses import dataclass

import numpy as np

__all__ = ["TARGETS", "Target", "in_units_of_targets", "target"]

HARTREE = 27.211386246  # eV, as in PyTorch Geometric
# Its atomisation energies come from MoleculeNet in kcal/mol, each step with a factor of its own.
HARTREE_BY_KCAL = 627.509 * 0.04336414  # eV


@dataclass(frozen=True)
class Target:
    """One of the 19 targets.

    Attributes:
        name: as in PyTorch Geometric; `U0_atom` and the like are atomisation energies.
        unit: of the values that `QM9` gives.
        column: in `y`.
        extensive: whether the target is (nearly) a sum over atoms.
        source: its column in the files of qm9pack.
        factor: unit of that column in `unit`.
    """

    name: str
    unit: str
    column: int
    extensive: bool
    source: str
    factor: float = 1.0


# Energies, the heat capacity and, nearly, the polarisability are sums over parts of the molecule.
# The spatial extent r2 is none: it grows with the distance of the parts from each other, not only
# with their number.
TARGETS = (
    Target("mu", "D", 0, False, "Dipole_debye"),
    Target("alpha", "a0^3", 1, True, "Polarizability_bohr3"),
    Target("homo", "eV", 2, False, "HOMO_au", HARTREE),
    Target("lumo", "eV", 3, False, "LUMO_au", HARTREE),
    Target("gap", "eV", 4, False, "HOMO_LUMO_gap_au", HARTREE),
    Target("r2", "a0^2", 5, False, "R2_bohr2"),
    Target("zpve", "eV", 6, True, "ZPVE_au", HARTREE),
    Target("U0", "eV", 7, True, "InternalEnergy_0K_au", HARTREE),
    Target("U", "eV", 8, True, "InternalEnergy_298K_au", HARTREE),
    Target("H", "eV", 9, True, "Enthalphy_298K_au", HARTREE),
    Target("G", "eV", 10, True, "GibbsFreeEnergy_298K_au", HARTREE),
    Target("cv", "cal/mol/K", 11, True, "Heatcapacity_Cv_cal_mol_K"),
    Target("U0_atom", "eV", 12, True, "InternalEnergy_0K_au", HARTREE_BY_KCAL),
    Target("U_atom", "eV", 13, True, "InternalEnergy_298K_au", HARTREE_BY_KCAL),
    Target("H_atom", "eV", 14, True, "Enthalphy_298K_au", HARTREE_BY_KCAL),
    Target("G_atom", "eV", 15, True, "GibbsFreeEnergy_298K_au", HARTREE_BY_KCAL),
    Target("A", "GHz", 16, False, "RotA_GHz"),
    Target("B", "GHz", 17, False, "RotB_GHz"),
    Target("C", "GHz", 18, False, "RotC_GHz"),
)

# Energies of the free atoms at the level of the data set, in hartree (its file atomref.txt).
ELEMENTS = (1, 6, 7, 8, 9)
FREE_ATOMS = {
    "U0_atom": (-0.500273, -37.846772, -54.583861, -75.064579, -99.718730),
    "U_atom": (-0.498857, -37.845355, -54.582445, -75.063163, -99.717314),
    "H_atom": (-0.497912, -37.844411, -54.581501, -75.062219, -99.716370),
    "G_atom": (-0.510927, -37.861317, -54.598897, -75.079532, -99.733544),
}


def target(name: str) -> Target:
    """The target of that name.

    Raises:
        ValueError: there is none.
    """
    names = {known.name.lower(): known for known in TARGETS}
    found = names.get(name.lower())
    if found is not None and found.name == name:
        return found
    close = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f" (did you mean {names[close[0]].name!r}?)" if close else ""
    raise ValueError(
        f"QM9 has no target {name!r}{hint}: choose one of "
        f"{', '.join(known.name for known in TARGETS)}."
    )


def in_units_of_targets(raw: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Turn the source's columns into the targets: (raw - counts free_atoms) * factor.

    Args:
        raw: (molecule, 19), for each target its column of the source.
        counts: (molecule, 5), atoms of H, C, N, O, F.

    Returns:
        Targets (molecule, 19).
    """
    free = np.array([FREE_ATOMS.get(known.name, (0.0,) * len(ELEMENTS)) for known in TARGETS])
    return (raw - counts @ free.T) * np.array([known.factor for known in TARGETS])
