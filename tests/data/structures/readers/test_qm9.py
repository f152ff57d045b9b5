import tarfile

import numpy as np
import pytest

from steerable.data.structures import ReadError, read

# The first molecule of QM9, as published.
METHANE = """5
gdb 1\t157.7118\t157.70997\t157.70699\t0.\t13.21\t-0.3877\t0.1171\t0.5048\
\t35.3641\t0.044749\t-40.47893\t-40.476062\t-40.475117\t-40.498597\t6.469\t
C\t-0.0126981359\t 1.0858041578\t 0.0080009958\t-0.535689
H\t 0.002150416\t-0.0060313176\t 0.0019761204\t 0.133921
H\t 1.0117308433\t 1.4637511618\t 0.0002765748\t 0.133922
H\t-0.540815069\t 1.4475266138\t-0.8766437152\t 0.133923
H\t-5.238136345*^-1\t 1.4379326443\t 0.9063972942\t 1.33923*^-1
1341.307\t1341.3284\t1341.365\t1562.6731\t1562.7453\t3038.3205\t3151.6034\t3151.6788\t3151.7078
C\tC\t
InChI=1S/CH4/h1H4\tInChI=1S/CH4/h1H4
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "qm9"
    folder.mkdir()
    for number in (1, 2):
        text = METHANE.replace("gdb 1", f"gdb {number}")
        (folder / f"dsgdb9nsd_00000{number}.xyz").write_text(text)
    return folder


def check(ours, names):
    assert ours.column("name").data.tolist() == names
    assert ours.z.tolist() == [6, 1, 1, 1, 1] * len(names)
    assert ours.pos[4].tolist() == [-0.5238136345, 1.4379326443, 0.9063972942]
    assert ours.column("charges").data[[0, 4]].tolist() == [-0.535689, 0.133923]
    assert ours.column("u0").data[0] == -40.47893 and ours.column("u0").unit == "Ha"
    assert ours.column("cv").data[0] == 6.469 and ours.column("A").data[0] == 157.7118
    assert ours.column("smiles").data[0] == "C"


def test_a_folder_of_molecules(folder):
    check(read(folder), ["gdb_1", "gdb_2"])


def test_one_molecule(folder):
    check(read(folder / "dsgdb9nsd_000002.xyz"), ["gdb_2"])


@pytest.mark.parametrize("mode", ["", "bz2"])
def test_an_archive(folder, tmp_path, mode):
    path = tmp_path / f"dsgdb9nsd.xyz.tar{f'.{mode}' if mode else ''}"
    with tarfile.open(path, f"w:{mode}") as archive:
        for file in sorted(folder.iterdir()):
            archive.add(file, file.name)
    check(read(path), ["gdb_1", "gdb_2"])


def test_a_file_that_is_cut(folder):
    path = folder / "dsgdb9nsd_000002.xyz"
    path.write_text("\n".join(METHANE.splitlines()[:5]))
    with pytest.raises(ReadError, match=r"dsgdb9nsd_000002.xyz is not as .* 3 of 5 atoms"):
        read(folder)


@pytest.fixture
def sdf(tmp_path):
    record = "gdb_{}\n\n\n  1  0  0  0  0            999 V2000\n    0.0000    0.0000    0.0000 C\n"
    text = "".join(record.format(k) + "M  END\n$$$$\n" for k in (1, 2))
    (tmp_path / "gdb9.sdf").write_text(text)
    (tmp_path / "gdb9.sdf.csv").write_text("mol_id,A,u0,u0_atom\ngdb_1,1,-2.5,3\ngdb_2,4,5,6\n")
    return tmp_path / "gdb9.sdf"


@pytest.mark.parametrize("name", ["gdb9.sdf", "gdb9.sdf.csv"])
def test_a_table_beside_an_sdf(sdf, name):
    ours = read(sdf.with_name(name))
    assert ours.column("mol_id").data.tolist() == ours.column("name").data.tolist()
    assert ours.column("u0").data.tolist() == [-2.5, 5] and ours.column("u0").unit == "Ha"
    assert ours.column("u0_atom").unit == ""


def test_tables_of_another_length(sdf):
    table = sdf.with_name("gdb9.sdf.csv")
    table.write_text("mol_id,A\ngdb_1,1\n")
    with pytest.raises(ReadError, match=r"has 1 rows, and gdb9.sdf more records"):
        read(sdf)
    table.write_text("mol_id,A\ngdb_1,1\ngdb_2,2\ngdb_3,3\n")
    with pytest.raises(ReadError, match=r"has 3 rows, and gdb9.sdf 2 records"):
        read(sdf)
    table.write_text("mol_id,A\ngdb_1\n")
    with pytest.raises(ReadError, match=r"row 0 has 1 of 2 columns"):
        read(sdf)
    sdf.unlink()
    with pytest.raises(ReadError, match=r"no gdb9.sdf beside"):
        read(table)


def test_an_sdf_without_a_table(sdf):
    sdf.with_name("gdb9.sdf.csv").unlink()
    assert np.array_equal(read(sdf).z, [6, 6])
