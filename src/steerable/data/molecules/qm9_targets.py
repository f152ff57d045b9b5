"""The 19 targets of QM9: names, units and order as in PyTorch Geometric, columns in the source."""

import difflib
from dataclasses import dataclass

import numpy as np

__all__ = ["TARGETS", "Target", "in_units_of_targets", "target"]

HARTREE = 27.211386246  # eV, as in PyTorch Geometric
# PyTorch Geometric takes atomisation energies from MoleculeNet in kcal/mol: two conversion factors.
HARTREE_BY_KCAL = 627.509 * 0.04336414  # eV


@dataclass(frozen=True)
class Target:
    """One of the 19 targets.

    Attributes:
        name: the name in PyTorch Geometric; `U0_atom` and the like are atomisation energies.
        unit: the unit of the values in `QM9`.
        column: the column in `y`.
        extensive: whether the target is (nearly) a sum over atoms.
        source: the column in the files of qm9pack.
        factor: the unit of that column, expressed in `unit`.
    """

    name: str
    unit: str
    column: int
    extensive: bool
    source: str
    factor: float = 1.0


# Energies, the heat capacity and, nearly, the polarisability are sums over parts of the molecule.
# The spatial extent r2 is not: it grows with the distance between the parts, not only with their
# number.
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
    """The target with the given name.

    Raises:
        ValueError: there is no such target.
    """
    names = {choice.name.lower(): choice for choice in TARGETS}
    match = names.get(name.lower())
    if match is not None and match.name == name:
        return match
    close = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f" (did you mean {names[close[0]].name!r}?)" if close else ""
    raise ValueError(
        f"QM9 has no target {name!r}{hint}: choose one of "
        f"{', '.join(choice.name for choice in TARGETS)}."
    )


def in_units_of_targets(raw: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Convert the columns of the source to the targets: (raw - counts free_atoms) * factor.

    Args:
        raw: (molecule, 19), the column of the source for each target.
        counts: (molecule, 5), the numbers of atoms of H, C, N, O, F.

    Returns:
        Targets (molecule, 19).
    """
    zero = (0.0,) * len(ELEMENTS)
    free = np.array([FREE_ATOMS.get(each.name, zero) for each in TARGETS])
    return (raw - counts @ free.T) * np.array([each.factor for each in TARGETS])
