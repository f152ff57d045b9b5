"""Predictions carry the identifiers of their items, and the worst of them are named."""

import io

import numpy as np
import pytest
from ase.build import molecule
from ase.io import read

from steerable.data.structures import Structures
from steerable.train import Table
from steerable.train.data_record import Part
from steerable.train.predictions import identified, to_csv, worst_frames, worst_items

HEADER = ("true [eV]", "predicted [eV]")
NAMES = ("H2O", "CH4", "C2H6")


@pytest.fixture
def part():
    frames = [molecule(name) for name in NAMES]
    structures = Structures(
        z=np.concatenate([atoms.numbers for atoms in frames]),
        pos=np.concatenate([atoms.positions for atoms in frames]),
        ends=np.cumsum([0, *map(len, frames)]),
        cell=np.zeros((3, 3, 3)),
        pbc=np.zeros((3, 3), dtype=bool),
    )
    return Part(np.array([17, 4, 9]), (), ("water", "methane", "ethane"), structures)


def test_identifiers_come_first(part):
    table = identified(Table(HEADER, [(1.0, 1.5), (2.0, 2.0), (3.0, 2.0)]), part)
    assert to_csv(table).splitlines() == [
        "index,name,formula,true [eV],predicted [eV]",
        "17,water,H2O,1,1.5",
        "4,methane,CH4,2,2",
        "9,ethane,C2H6,3,2",
    ]


def test_items_without_names_or_atoms_have_their_index():
    part = Part(np.array([3, 1]), ())
    table = identified(Table(("true", "predicted"), [("a", "b"), ("a", "a")], ("a", "b")), part)
    assert table.header == ("index", "true", "predicted")
    assert [tuple(row) for row in table.rows] == [(3, "a", "b"), (1, "a", "a")]


def test_rows_of_atoms_have_the_item_that_they_belong_to(part):
    rows = [(float(k), 0.0) for k in range(4)]
    table = identified(Table(HEADER, rows, items=[2, 2, 0, 1]), part)
    assert [row[1] for row in table.rows] == ["ethane", "ethane", "water", "methane"]


def test_rows_that_belong_to_nothing_stay_as_they_are(part):
    table = Table(HEADER, [(1.0, 2.0)])
    assert identified(table, part) is table
    assert identified(table, None) is table
    assert worst_items(table, part) == worst_items(table, None) == []


def test_the_worst_items_are_those_of_the_largest_errors(part):
    worst = worst_items(Table(HEADER, [(1.0, 1.5), (2.0, 2.0), (3.0, 2.0)]), part, count=2)
    assert worst == [
        {
            "item": 2, "index": 9, "name": "ethane", "formula": "C2H6",
            "true": 3.0, "predicted": 2.0, "error": -1.0, "unit": "eV",
        },
        {
            "item": 0, "index": 17, "name": "water", "formula": "H2O",
            "true": 1.0, "predicted": 1.5, "error": 0.5, "unit": "eV",
        },
    ]  # fmt: skip


def test_an_item_of_several_rows_counts_once_by_its_worst(part):
    rows = [(0.0, 0.1), (0.0, -3.0), (0.0, 2.0), (0.0, float("nan")), (1.0, 1.1)]
    worst = worst_items(Table(HEADER, rows, items=[1, 1, 0, 0, 1]), part)
    assert [(entry["name"], entry["error"]) for entry in worst] == [
        ("methane", -3.0),
        ("water", 2.0),
    ]


def test_classes_have_no_worst_item():
    table = Table(("true", "predicted"), [("a", "b")], ("a", "b"))
    assert worst_items(table, Part(np.array([0]), ())) == []


def test_the_worst_structures_are_read_by_ase(part):
    worst = worst_items(Table(HEADER, [(1.0, 1.5), (2.0, 2.0), (3.0, 2.0)]), part)
    frames = read(io.StringIO(worst_frames(worst, part.structures)), ":", format="extxyz")
    assert [atoms.get_chemical_formula() for atoms in frames] == ["C2H6", "H2O", "CH4"]
    assert [atoms.info["name"] for atoms in frames] == ["ethane", "water", "methane"]
    assert [float(atoms.info["error"]) for atoms in frames] == [-1.0, 0.5, 0.0]
    expected = molecule("C2H6").positions
    np.testing.assert_allclose(frames[0].positions, expected, atol=1e-7)
