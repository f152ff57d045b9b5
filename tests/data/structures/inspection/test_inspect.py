import json

import numpy as np
import pytest
from ase.build import bulk, molecule

from data.structures.planted import crystals, energies_of, molecules, shaken, structures_of
from steerable.data.structures import Column
from steerable.data.structures.inspection import inspect


def kinds(inspection):
    return [suspicion.kind for suspicion in inspection.suspicions]


def suspicion(inspection, kind):
    """The one suspicion of a kind."""
    (one,) = [one for one in inspection.suspicions if one.kind == kind]
    return one


def frames(inspection, kind):
    """The numbers of the frames that a suspicion names."""
    return [int(name.split("#")[1]) for name in suspicion(inspection, kind).frames]


def in_parts(structures, size):
    for start in range(0, len(structures), size):
        yield structures.select(range(start, min(start + size, len(structures))))


@pytest.fixture(scope="module")
def methanol():
    """40 shaken molecules of methanol with energies."""
    atoms = shaken(molecule("CH3OH"), 40)
    return atoms, energies_of(atoms)


@pytest.mark.parametrize("atoms", [molecules(), crystals()], ids=["molecules", "crystals"])
def test_nothing_is_suspicious_of_clean_structures(atoms):
    inspection = inspect(structures_of(atoms, energy=energies_of(atoms)))
    assert inspection.suspicions == ()


def test_counts_elements_sizes_and_cells():
    atoms = [molecule("H2O"), molecule("CH4"), bulk("Cu"), bulk("Si", cubic=True)]
    inspection = inspect(structures_of(atoms))
    assert (inspection.structures, inspection.atoms, inspection.formulas) == (4, 17, 4)
    assert (inspection.sizes.min, inspection.sizes.median, inspection.sizes.max) == (1, 4, 8)
    assert (inspection.elements["H"].structures, inspection.elements["H"].atoms) == (2, 6)
    assert list(inspection.elements) == ["H", "C", "O", "Si", "Cu"]
    assert inspection.periodic == 2
    assert inspection.densities.max == pytest.approx(8.96, rel=0.01)
    assert inspection.densities.min == pytest.approx(2.33, rel=0.01)
    assert (inspection.target, inspection.command) == ("", "")


def test_parts_give_what_the_whole_gives(methanol):
    atoms, energies = methanol
    atoms = [*atoms, atoms[3], molecule("H2O")]
    energy = np.append(energies, [energies[3], np.nan])
    known = np.isfinite(energy)
    structures = structures_of(atoms, energy=Column(energy, unit="eV", known=known))
    whole, parts = inspect(structures).as_dict(), inspect(in_parts(structures, 7)).as_dict()
    for one, other in zip(whole["columns"], parts["columns"], strict=True):
        for name in ("mean", "spread"):
            assert one.pop(name) == pytest.approx(other.pop(name), rel=1e-12)
    assert whole == parts


def test_the_record_is_json(methanol):
    atoms, energies = methanol
    names = [f"m{k}" for k in range(len(atoms))]
    kind = ["warm", "cold"] * 20
    structures = structures_of(atoms, energy=energies, name=names, config_type=kind)
    record = json.loads(json.dumps(inspect(structures).as_dict(), allow_nan=False))
    assert record["structures"] == 40 and record["elements"]["C"] == {"structures": 40, "atoms": 40}
    assert record["columns"][2]["categories"] == {"warm": 20, "cold": 20}
    assert record["command"].endswith("--data.target energy")


def test_atoms_that_are_close_also_through_the_cell(methanol):
    atoms, _ = methanol
    near = atoms[5].copy()
    near.positions[3] = near.positions[2] + [0.3, 0, 0]
    slab = molecule("H2O", cell=[8, 8, 8], pbc=True)
    slab.positions[1] = slab.positions[0] + [0, 0, 7.7]
    inspection = inspect(structures_of([*atoms, near, slab]))
    assert frames(inspection, "close atoms") == [40, 41]


def test_atoms_without_neighbours_and_fragments(methanol):
    atoms, _ = methanol
    lone, pieces = atoms[0].copy(), atoms[1].copy()
    lone.positions[3] += 5.0
    pieces.positions[[1, 3]] += 5.0  # the hydroxyl group
    inspection = inspect(structures_of([*atoms, lone, pieces]))
    assert frames(inspection, "lone atoms") == [40]
    assert frames(inspection, "fragments") == [41]
    assert kinds(inspection) == ["lone atoms", "fragments"]


def test_a_set_of_pairs_of_molecules_is_not_broken():
    atoms = []
    for one in shaken(molecule("H2O"), 30):
        pair = one + one
        pair.positions[3:] += 4.0
        atoms.append(pair)
    assert inspect(structures_of(atoms)).suspicions == ()


def test_positions_and_cells_that_cannot_be(methanol):
    atoms, _ = methanol
    broken, tight = atoms[0].copy(), bulk("Cu")
    broken.positions[0, 0] = np.nan
    tight.set_cell(tight.cell / 10, scale_atoms=True)
    inspection = inspect(structures_of([*atoms, broken, tight]))
    assert frames(inspection, "positions or cells") == [40, 41]


def test_labels_that_are_missing_or_no_numbers(methanol):
    atoms, energies = methanol
    energy = energies.copy()
    energy[[3, 4]] = np.nan
    known = np.ones(40, dtype=bool)
    known[4] = False
    forces = np.zeros((240, 3))
    forces[6 * 7 + 2, 1] = np.inf
    columns = {"energy": Column(energy, known=known), "forces": Column(forces, "atom")}
    inspection = inspect(structures_of(atoms, **columns))
    broken = [one for one in inspection.suspicions if one.kind == "not a number"]
    assert [one.frames for one in broken] == [("small.xyz#3",), ("small.xyz#7",)]
    assert ["'energy'" in broken[0].meaning, "'forces'" in broken[1].meaning] == [True, True]
    assert frames(inspection, "missing labels") == [4]
    assert inspection.columns[0].structures == 38 and inspection.columns[1].structures == 39


def test_a_column_of_some_parts_is_missing_in_the_others(methanol):
    atoms, energies = methanol
    parts = [structures_of(atoms[:20]), structures_of(atoms[20:], energy=energies[20:])]
    inspection = inspect(parts)
    assert suspicion(inspection, "missing labels").count == 20
    assert len(suspicion(inspection, "missing labels").frames) == 10
    assert inspection.columns[0].structures == 20


def test_a_column_that_becomes_another_quantity(methanol):
    atoms, energies = methanol
    vectors = np.zeros((10, 3))
    parts = [
        structures_of(atoms[:30], energy=energies[:30]),
        structures_of(atoms[30:], energy=vectors),
    ]
    inspection = inspect(parts)
    assert "'energy'" in suspicion(inspection, "mixed columns").meaning
    assert inspection.columns[0].shape == ()


def test_energies_far_from_the_others():
    atoms = shaken(molecule("CH3OH"), 40) + shaken(molecule("C2H6"), 40, seed=1)
    atoms += shaken(molecule("CH3CHO"), 40, seed=2)
    energies = energies_of(atoms)
    energies[[17, 90]] += [20.0, -300.0]
    inspection = inspect(structures_of(atoms, energy=energies))
    assert frames(inspection, "energy outliers") == [90, 17]


def test_copies_and_their_labels(methanol):
    atoms, energies = methanol
    turned = atoms[2].copy()
    turned.rotate(70, (1, 2, 3))
    energy = np.append(energies, [energies[1], energies[2] + 0.5])
    inspection = inspect(structures_of([*atoms, atoms[1], turned], energy=energy))
    assert (inspection.copies, inspection.alike) == (1, 2)
    pairs = suspicion(inspection, "duplicates").frames
    assert pairs == ("small.xyz#40 = small.xyz#1", "small.xyz#41 = small.xyz#2")
    assert frames(inspection, "labels of copies") == [41]
    assert inspection.command.endswith("--data.split group")


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1 / 0.529177, "Bohr where"), (0.529177, "from Bohr"), (0.1, "nm where"),
     (10, "from nm"), (100, "pm where")],
)  # fmt: skip
@pytest.mark.parametrize("atoms", [molecules()[:60], crystals()], ids=["molecules", "crystals"])
def test_units_of_length(atoms, factor, words):
    wrong = [one.copy() for one in atoms]
    for one in wrong:
        one.positions *= factor
        one.cell *= factor
    inspection = inspect(structures_of(wrong))
    assert words in suspicion(inspection, "unit of length").meaning
    assert suspicion(inspection, "unit of length").count == len(atoms)


ATOMS = {1: -0.5, 6: -37.84, 8: -75.06}  # energies of atoms with all electrons, in Hartree


@pytest.mark.parametrize(
    ("factor", "unit", "guess"),
    [
        (27.2114, "eV", ""),
        (27.2114, "", ""),
        (1.0, "Hartree", ""),
        (627.51, "kcal/mol", ""),
        (1.0, "eV", "Hartree"),
        (1.0, "", "Hartree"),
        (2.0, "eV", "Ry"),
        (627.51, "eV", "kcal/mol"),
        (2625.5, "eV", "kJ/mol"),
        (27.2114, "Hartree", "eV"),
        (1e6, "eV", "more than the energy of all electrons"),
        (0.05, "eV", ""),  # of valence electrons alone
    ],
)
def test_units_of_energy(methanol, factor, unit, guess):
    atoms, energies = methanol
    energy = np.array([sum(map(ATOMS.get, one.numbers)) for one in atoms]) - 0.75
    energy = (energy + 1e-3 * (energies - energies.mean())) * factor
    inspection = inspect(structures_of(atoms, energy=Column(energy, unit=unit)))
    if guess:
        assert guess in suspicion(inspection, "unit of energy").meaning
    else:
        assert "unit of energy" not in kinds(inspection)


def trajectory(count=40, step=0.01):
    """Frames of a chain of springs with their energies in eV, and forces in eV/Angstrom."""
    random = np.random.default_rng(0)
    rest = molecule("CH3OH")
    move = random.normal(size=(2, len(rest), 3))
    atoms, energies, forces = [], [], []
    for k in range(count):
        displacement = 0.05 * (np.sin(step * 20 * k) * move[0] + np.cos(step * 13 * k) * move[1])
        frame = rest.copy()
        frame.positions += displacement
        atoms.append(frame)
        energies.append(-1000 + 0.5 * 7 * (displacement**2).sum())
        forces.append(-7 * displacement)
    return atoms, np.array(energies), np.concatenate(forces)


@pytest.mark.parametrize(
    ("energy", "force", "words"),
    [
        (1, 1, ""),
        (1, -1, "gradients"),
        (1 / 27.2114, 1, "energies in Hartree and forces in eV/Angstrom"),
        (1, 0.529177 / 27.2114, "energies in eV and forces in Hartree/Bohr"),
        (23.0605, 1, "energies in kcal/mol and forces in eV/Angstrom"),
    ],
)
def test_units_of_forces(energy, force, words):
    atoms, energies, forces = trajectory()
    columns = {"energy": Column(energies * energy), "forces": Column(forces * force, "atom")}
    inspection = inspect(in_parts(structures_of(atoms, **columns), 15))
    if words:
        assert words in suspicion(inspection, "unit of forces").meaning
    else:
        assert inspection.suspicions == ()
    assert inspection.command.endswith("--data.split time")


def test_units_of_forces_that_the_file_says_agree():
    atoms, energies, forces = trajectory()
    columns = {
        "energy": Column(energies / 27.2114, unit="Hartree"),
        "forces": Column(forces * 0.529177 / 27.2114, "atom", "Hartree/Bohr"),
    }
    assert inspect(structures_of(atoms, **columns)).suspicions == ()


def test_the_target_is_an_energy_or_what_varies(methanol):
    atoms, energies = methanol
    gap, charge = np.linspace(0, 1, 40), np.linspace(0, 2, 40).round()
    dipole = Column(np.ones((240, 3)) * np.arange(240)[:, None], "atom")
    same = np.ones(40)
    columns = {"charge": charge, "same": same, "dipoles": dipole, "gap": gap}
    assert inspect(structures_of(atoms, **columns)).target == "gap"
    assert inspect(structures_of(atoms, **columns, energy=energies)).target == "energy"
    assert inspect(structures_of(atoms, charge=charge, dipoles=dipole)).target == "dipoles"
    assert inspect(structures_of(atoms, charge=charge)).command == ""


def test_the_command_quotes_the_file(methanol):
    atoms, energies = methanol
    inspection = inspect(structures_of(atoms, energy=energies), "my data.xyz")
    assert "--data.train 'my data.xyz' --data.target energy" in inspection.command


def test_no_structures_are_refused():
    with pytest.raises(ValueError, match="no structures to look at"):
        inspect(iter(()))
