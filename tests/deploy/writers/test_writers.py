import csv
import io
import json

import numpy as np
import pytest
from ase.build import molecule

from steerable.data.structures import Column, Target, from_atoms
from steerable.deploy.predict import Predictions
from steerable.deploy.writers import Heading, choose_format, open_writer

TARGETS = (
    Target("gap", unit="eV"),
    Target("dipole", "vector", unit="e Angstrom"),
    Target("alpha", "tensor", unit="A^3"),
    Target("charges", per="atom", unit="e"),
    Target("kind", "class", classes=("acid", "base")),
)


def part(names, first=0, note=""):
    """Predictions for molecules of ASE that can be recognised."""
    frames = [molecule(name) for name in names]
    for atoms in frames:
        atoms.info["name"] = f"my {atoms.get_chemical_formula()}"
    structures = from_atoms(frames)
    count, atoms = len(structures), len(structures.z)
    index = first + np.arange(count)
    columns = {
        "gap": Column(index + 0.5, unit="eV"),
        "gap_std": Column(index / 8, unit="eV"),
        "dipole": Column(np.arange(3.0 * count).reshape(count, 3), unit="e Angstrom"),
        "alpha": Column(np.arange(9.0 * count).reshape(count, 3, 3), unit="A^3"),
        "charges": Column(np.arange(float(atoms)), "atom", "e"),
        "kind": Column(np.array(["acid", "base"])[index % 2]),
        "kind_probability": Column(np.stack([index / 10, 1 - index / 10], 1)),
    }
    return Predictions(structures, index, columns, TARGETS, [note] * count, [])


PARTS = [part(["CH4", "H2O"]), part(["CH3CH2OH"], first=2, note="9 atoms, training had 3 to 5")]


def written(format, parts=PARTS, heading=None):
    file = io.BytesIO()
    writer = open_writer(format, file, heading or Heading(["runs/a"], TARGETS))
    for one in parts:
        writer.write(one)
    writer.close()
    return file.getvalue(), writer


def test_csv_has_a_column_for_each_number():
    content, _ = written("csv")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["name"] for row in rows] == ["my CH4", "my H2O", "my C2H6O"]
    assert [float(row["gap [eV]"]) for row in rows] == [0.5, 1.5, 2.5]
    assert [float(row["gap_std [eV]"]) for row in rows] == [0.0, 0.125, 0.25]
    assert float(rows[1]["dipole_y [e Angstrom]"]) == 4.0
    assert float(rows[1]["alpha_zx [A^3]"]) == 15.0
    assert json.loads(rows[1]["charges [e]"]) == [5.0, 6.0, 7.0]
    assert [row["kind"] for row in rows] == ["acid", "base", "acid"]
    assert float(rows[1]["kind_probability_base"]) == 0.9
    assert rows[2]["note"] == "9 atoms, training had 3 to 5"


def test_json_is_one_object():
    record = json.loads(written("json")[0])
    assert record["runs"] == ["runs/a"]
    assert record["units"]["dipole"] == "e Angstrom"
    last = record["structures"][2]
    assert (last["index"], last["formula"], last["note"]) == (
        2,
        "C2H6O",
        "9 atoms, training had 3 to 5",
    )
    assert last["predictions"]["gap"] == 2.5
    assert len(last["predictions"]["charges"]) == 9
    assert json.loads(written("json", [])[0])["structures"] == []


def test_json_of_a_single_target_as_runs_on_qm9_have_it():
    heading = Heading(["runs/a"], TARGETS[:1], "molecules", is_plain=True)
    record = json.loads(written("json", heading=heading)[0])
    assert (record["target"], record["unit"]) == ("gap", "eV")
    assert record["molecules"][1] == {
        "index": 1,
        "name": "my H2O",
        "formula": "H2O",
        "prediction": 1.5,
        "std": 0.125,
    }


def test_npz_has_arrays_of_structures_and_of_atoms(tmp_path):
    (tmp_path / "a.npz").write_bytes(written("npz")[0])
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["gap"].tolist() == [0.5, 1.5, 2.5]
        assert arrays["atoms"].tolist() == [5, 3, 9]
        assert len(arrays["charges"]) == 17
        assert arrays["formula"].tolist() == ["CH4", "H2O", "C2H6O"]
        assert json.loads(str(arrays["units"]))["charges"] == "e"


def test_tables_are_aligned_over_parts():
    content, writer = written("table")
    header, *rows = content.decode().splitlines()
    assert header.split()[:4] == ["index", "name", "formula", "gap"]
    assert len(rows) == 3
    where = header.index("gap [eV]")
    assert [row[where:].split()[0] for row in rows] == ["0.500000", "1.500000", "2.500000"]
    assert "(3.000000, 4.000000, 5.000000)" in rows[1]
    assert writer.left_out == {"alpha", "charges"}


def test_notes_of_later_parts_are_shown():
    content, _ = written("table")
    assert content.decode().splitlines()[3].endswith("  9 atoms, training had 3 to 5")


@pytest.mark.parametrize(
    ("output", "format", "expected"),
    [
        (None, None, "table"),
        ("a.csv", None, "csv"),
        ("a.XYZ", None, "extxyz"),
        ("a.extxyz", None, "extxyz"),
        ("a.json", None, "json"),
        ("a.npz", None, "npz"),
        ("a.txt", None, "table"),
        ("a.csv", "json", "json"),
    ],
)
def test_the_suffix_chooses_the_format(tmp_path, output, format, expected):
    assert choose_format(tmp_path / output if output else None, format) == expected


def test_a_format_that_there_is_not():
    with pytest.raises(ValueError, match="one of table, csv, json, npz, extxyz; got xml"):
        choose_format(None, "xml")
