import numpy as np
import pytest
from scipy.spatial.distance import pdist

pytest.importorskip("rdkit", reason="rdkit is not installed")

from rdkit import Chem
from rdkit.Chem import rdDetermineBonds

from steerable.data.structures.conformers import Conformers, SmilesError, embed, embed_all


def molecule_of(conformers, shape=0):
    """The molecule of RDKit that has the atoms of a conformer; its bonds follow from distances."""
    lines = [f"{len(conformers.z)}", ""]
    table = Chem.GetPeriodicTable()
    for z, pos in zip(conformers.z.tolist(), conformers.pos[shape], strict=True):
        lines.append(" ".join([table.GetElementSymbol(z), *map(str, pos)]))
    molecule = Chem.MolFromXYZBlock("\n".join(lines) + "\n")
    rdDetermineBonds.DetermineBonds(molecule, charge=conformers.charge)
    Chem.AssignStereochemistryFrom3D(molecule)
    return Chem.RemoveHs(molecule)


@pytest.mark.parametrize(
    "smiles",
    [
        "CCO",
        "c1ccccc1O",
        "C[C@H](N)C(=O)O",
        "C[C@@H](N)C(=O)O",
        "C/C=C/C",
        "C/C=C\\C",
        "C[NH3+]",
        "CC(=O)[O-]",
        "F[C@H](Cl)Br",
    ],
)
def test_the_positions_have_the_bonds_and_the_stereochemistry_of_the_smiles(smiles):
    one = embed(smiles)
    assert Chem.MolToSmiles(molecule_of(one)) == Chem.CanonSmiles(smiles)


def test_distances_of_methane():
    one = embed("C")
    assert one.z.tolist() == [6, 1, 1, 1, 1]
    assert np.allclose(np.linalg.norm(one.pos[0][1:] - one.pos[0][0], axis=-1), 1.09, atol=0.01)


def test_the_seed_gives_the_same_positions_and_another_one_others():
    one, same, other = embed("CCCCO", 3, seed=4), embed("CCCCO", 3, seed=4), embed("CCCCO", seed=5)
    assert np.array_equal(one.pos, same.pos)
    assert not np.allclose(one.pos[0], other.pos[0])


def test_several_conformers_differ_in_their_shape():
    one = embed("CCCCCCO", 5)
    assert one.pos.shape == (5, 21, 3)
    distances = np.array([pdist(pos) for pos in one.pos])
    assert (np.ptp(distances, axis=0).max()) > 0.5


@pytest.mark.parametrize(
    ("smiles", "charge", "spin"),
    [("[NH4+]", 1, 1), ("[O-]S(=O)(=O)[O-]", -2, 1), ("C[CH2]", 0, 2), ("[O][O]", 0, 3)],
)
def test_charge_and_spin(smiles, charge, spin):
    one = embed(smiles)
    assert (one.charge, one.spin) == (charge, spin)


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "O.O.O", "c1ccccc1.c1ccccc1"])
def test_fragments_do_not_overlap(smiles):
    assert pdist(embed(smiles).pos[0]).min() > 0.9


def test_elements_without_a_force_field_keep_the_first_positions():
    assert embed("Cl[Pt](Cl)(N)N").z.tolist() == [17, 78, 17, 7, 7, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("smiles", "words"),
    [
        ("nonsense", "cannot be parsed"),
        ("C1CC", "cannot be parsed"),
        ("", "no atoms"),
        ("C*", "no element"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1cccc1", "kekulize"),
        ("C1#CC1", "no positions"),
    ],
)
def test_a_smiles_that_cannot_be_embedded_says_why(smiles, words, capfd):
    with pytest.raises(SmilesError, match=words):
        embed(smiles)
    assert capfd.readouterr().err == ""


def test_many_molecules_are_kept_in_the_cache(cache, monkeypatch):
    smiles = ["CCO", "bad", "[NH4+]", "CCCC"]
    first = embed_all(smiles, 2)
    assert len(list(cache.glob("conformers-*.npz"))) == 1
    monkeypatch.setattr("steerable.data.structures.conformers.embed", None)
    again = embed_all(smiles, 2)
    for one, other in zip(first, again, strict=True):
        if isinstance(one, SmilesError):
            assert str(one) == str(other)
            continue
        assert isinstance(other, Conformers) and one.canonical == other.canonical
        assert np.array_equal(one.z, other.z) and np.array_equal(one.pos, other.pos)
        assert (one.charge, one.spin) == (other.charge, other.spin)


def test_other_choices_are_other_files_in_the_cache(cache):
    embed_all(["C"])
    embed_all(["C"], seed=1)
    embed_all(["C"], conformers=2)
    embed_all(["CC"])
    assert len(list(cache.glob("conformers-*.npz"))) == 4
