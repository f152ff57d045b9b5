import io

import numpy as np
import pytest
from ase.build import molecule
from ase.io import read, write

from steerable.data.structures import concatenate
from steerable.data.structures.errors import ReadError
from steerable.data.structures.readers.sdf import read_sdf


def v2000(title="water", atoms=("O", "H", "H"), properties=(), items="", program="", codes=()):
    """A record whose atoms lie on the diagonal."""
    codes = [*codes, *[0] * (len(atoms) - len(codes))]
    rows = [
        f"{k:10.4f}{2 * k:10.4f}{3 * k:10.4f} {symbol:<3} 0{code:3d}  0  0"
        for k, (symbol, code) in enumerate(zip(atoms, codes, strict=True))
    ]
    head = [title, program, "", f"{len(atoms):3d}  0  0  0  0  0            999 V2000"]
    return "\n".join([*head, *rows, *properties, "M  END", items])


def v3000(atoms, title="ion"):
    rows = [f"M  V30 {row}" for row in atoms]
    head = [title, "", "", "  0  0  0     0  0            999 V3000", "M  V30 BEGIN CTAB"]
    counts = f"M  V30 COUNTS {len(atoms)} 0 0 0 0"
    body = [counts, "M  V30 BEGIN ATOM", *rows, "M  V30 END ATOM", "M  V30 END CTAB", "M  END\n"]
    return "\n".join([*head, *body])


def read_text(tmp_path, *records, end="$$$$\n"):
    path = tmp_path / "some.sdf"
    path.write_text(end.join([*records, ""]))
    return concatenate(read_sdf(path))


def test_one_record_is_what_ase_reads(tmp_path):
    atoms = molecule("CH3CH2OH")
    path = tmp_path / "ethanol.sdf"
    bonds = io.StringIO()
    write(bonds, atoms, format="sdf")
    path.write_text(bonds.getvalue())
    ours, theirs = concatenate(read_sdf(path)), read(path)
    assert np.array_equal(ours.z, theirs.numbers)
    assert np.array_equal(ours.pos, theirs.positions)


def test_every_record_is_read(tmp_path):
    ours = read_text(tmp_path, v2000("a"), v2000("b", atoms=("C",)), v2000("c", atoms=("Cl", "H")))
    assert ours.sizes.tolist() == [3, 1, 2]
    assert ours.z.tolist() == [8, 1, 1, 6, 17, 1]
    assert ours.column("name").data.tolist() == ["a", "b", "c"]
    assert ours.frame.tolist() == [0, 1, 2]
    assert ours.pos[2].tolist() == [2, 4, 6]


def test_more_records_than_a_part(tmp_path):
    path = tmp_path / "many.sdf"
    path.write_text("".join(f"{v2000(str(k), atoms=('C',))}$$$$\n" for k in range(2500)))
    parts = list(read_sdf(path))
    assert [len(part) for part in parts] == [1000, 1000, 500]
    assert concatenate(parts).frame.tolist() == list(range(2500))


def test_a_mol_file_has_no_last_line(tmp_path):
    path = tmp_path / "water.mol"
    path.write_text(v2000())
    assert concatenate(read_sdf(path)).z.tolist() == [8, 1, 1]


def test_coordinates_that_touch(tmp_path):
    line = "-1000.0000-2000.0000-3000.0000 C   0  5  0"
    block = v2000(atoms=("C",)).splitlines()
    ours = read_text(tmp_path, "\n".join([*block[:4], line, "M  END", ""]))
    assert ours.pos.tolist() == [[-1000, -2000, -3000]]
    assert ours.column("charge").data.tolist() == [-1]


def test_charges_of_atoms(tmp_path):
    old = v2000(atoms=("N", "O", "O"), codes=(3, 5))
    new = v2000(atoms=("N", "O", "O"), codes=(1,), properties=["M  CHG  2   1   2   3  -1"])
    assert read_text(tmp_path, old, old, new).column("charge").data.tolist() == [0, 0, 1]


def test_radicals_give_the_spin(tmp_path):
    plain, oxygen = v2000(), v2000(atoms=("O", "O"), properties=["M  RAD  2   1   2   2   2"])
    assert read_text(tmp_path, plain, oxygen).column("spin").data.tolist() == [1, 3]
    assert "spin" not in read_text(tmp_path, plain).columns


def test_v3000(tmp_path):
    atoms = ["1 N 0.5 -1.25 2 0 CHG=1", "7 O 1 1 -", "1 0 CHG=-1 RAD=2", "8 H 0 0 1.5 0"]
    ours = read_text(tmp_path, v3000(atoms), v2000("next"))
    assert ours.sizes.tolist() == [3, 3]
    assert ours.z[:3].tolist() == [7, 8, 1]
    assert ours.pos[:3].tolist() == [[0.5, -1.25, 2], [1, 1, 1], [0, 0, 1.5]]
    assert ours.column("charge").data.tolist() == [0, 0]
    assert ours.column("spin").data.tolist() == [2, 1]


def test_data_items_are_quantities(tmp_path):
    first = "> <gap>\n1.5\n\n>  <count>  (1)\n3\n\n> <note>\none\ntwo\n\n> <dipole>\n1 2 3\n\n"
    second = "> <gap>\n2\n\n> <count>\n\n\n> <note>\n7\n\n> <dipole>\n4. 5e-1 6\n\n"
    third = "> <dipole>\nNA\n\n> <is it>\ntrue\n"
    ours = read_text(tmp_path, *[v2000(items=items) for items in (first, second, third)])
    gap, count = ours.column("gap"), ours.column("count")
    assert gap.data[:2].tolist() == [1.5, 2.0]
    assert np.isnan(gap.data[2]) and gap.missing.tolist() == [False, False, True]
    assert count.data.dtype == np.int64 and count.missing.tolist() == [False, True, True]
    assert ours.column("note").data.tolist() == ["one\ntwo", "7", ""]
    assert ours.column("dipole").data[:2].tolist() == [[1, 2, 3], [4, 0.5, 6]]
    assert ours.column("is it").data.tolist() == [False, False, True]


def test_data_items_of_atoms(tmp_path):
    items = "> <atom.dprop.charges>\n-0.8 0.4 n/a\n\n"
    ours = read_text(tmp_path, v2000(items=items), v2000())
    charges = ours.column("charges")
    assert charges.per == "atom" and charges.data[:2].tolist() == [-0.8, 0.4]
    assert charges.missing.tolist() == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (v2000(atoms=("C", "R#")), r"record 1 \(water\) at line 10 .* atom 2 is 'R#'"),
        (v2000(atoms=()), "there are no atoms"),
        (v2000().replace("V2000", "").replace("  3  0", " x3  0"), "line of counts"),
        ("\n".join(v2000().splitlines()[:6]) + "\n", "in the middle of 3 atoms and 0 bonds"),
        (v2000(properties=["M  CHG  1   4   1"]), "an atom that is not there"),
        (v2000(properties=["M  CHG  2   1   1"]), "another number of values"),
        (v2000(properties=["M  RAD  1   1   7"]), "radical of atom 1 is 7"),
        (v2000().replace("1.0000", "1.0.00"), "position of atom 2"),
        (v2000(items="> <atom.dprop.x>\n1 2\n\n"), "2 values of 'atom.dprop.x' for 3 atoms"),
        (v3000(["1 C 0 0 0 0"]).replace("M  V30 END CTAB\n", ""), "END CTAB"),
        (v3000(["1 C 0 0"]), "too short"),
        ("one\ntwo\n", "only 2 lines"),
    ],
)
def test_a_broken_record_is_named(tmp_path, text, words):
    with pytest.raises(ReadError, match=words) as error:
        read_text(tmp_path, v2000("good"), text)
    assert "some.sdf" in str(error.value) and "record 1" in str(error.value)


def test_a_drawing_in_the_plane_is_refused(tmp_path):
    flat = v2000(atoms=("C",), program="  program 01012612002D")
    with pytest.raises(ReadError, match="drawing in the plane"):
        read_text(tmp_path, flat)
    read_text(tmp_path, v2000(atoms=("C",), program="  program 01012612003D"))


def test_a_file_that_ends_in_data_is_refused(tmp_path):
    path = tmp_path / "cut.sdf"
    path.write_text(v2000() + "$$$$\n" + v2000(items="> <gap>\n1.2"))
    with pytest.raises(ReadError, match=r"cut.sdf ends in record 1 .water."):
        list(read_sdf(path))


@pytest.mark.parametrize("is_v3000", [False, True])
def test_records_are_what_rdkit_writes(tmp_path, is_v3000):
    chem = pytest.importorskip("rdkit.Chem", reason="rdkit is not installed")
    from rdkit.Chem import AllChem

    path = tmp_path / "rdkit.sdf"
    mols = []
    with chem.SDWriter(str(path)) as writer:
        writer.SetForceV3000(is_v3000)
        for k, smiles in enumerate(
            ["C[N+](C)(C)CC(=O)[O-]", "[NH4+]", "C[CH2]", "O=C([O-])c1ccccc1"]
        ):
            mol = chem.AddHs(chem.MolFromSmiles(smiles))
            AllChem.EmbedMolecule(mol, randomSeed=1)
            mol.SetProp("_Name", smiles)
            mol.SetDoubleProp("value", k / 3)
            writer.write(mol)
            mols.append(mol)
    ours = concatenate(read_sdf(path))
    assert ours.column("charge").data.tolist() == [chem.GetFormalCharge(mol) for mol in mols]
    assert ours.column("spin").data.tolist() == [1, 1, 2, 1]
    assert np.allclose(ours.column("value").data, np.arange(4) / 3)
    for k, (z, mol) in enumerate(zip(ours.numbers(), mols, strict=True)):
        assert z.tolist() == [atom.GetAtomicNum() for atom in mol.GetAtoms()]
        pos = ours.pos[ours.ends[k] : ours.ends[k + 1]]
        assert np.allclose(pos, mol.GetConformer().GetPositions(), atol=1e-4)
