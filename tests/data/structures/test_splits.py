import numpy as np
import pytest
from ase import Atoms

from steerable.data.splits import split as named_split
from steerable.data.structures import Column, from_atoms
from steerable.data.structures.amounts import Amounts
from steerable.data.structures.splits import (
    column_split,
    group_labels,
    group_split,
    random_split,
    scaffold_split,
    size_split,
    time_split,
)


def chains(sizes, **columns):
    structures = from_atoms([Atoms(f"C{size}", np.eye(size, 3)) for size in sizes])
    return structures.with_columns({name: Column(np.array(v)) for name, v in columns.items()})


def parts(split):
    return [part.tolist() for part in (split.train, split.validation, split.test)]


def check_parts(split, size):
    """The parts have no structure in common, and no other ones."""
    rows = np.concatenate([split.train, split.validation, split.test])
    assert len(set(rows.tolist())) == len(rows) and set(rows.tolist()) <= set(range(size))
    return [len(split.train), len(split.validation), len(split.test)]


@pytest.mark.parametrize(
    ("amounts", "size", "counts"),
    [
        (Amounts(), 100, (80, 10, 10)),
        (Amounts(), 3, (1, 1, 1)),
        (Amounts(50, "rest", 10), 100, (50, 40, 10)),
        (Amounts(0.8, 0.1, 0.1), 99, (79, 10, 10)),
        (Amounts(0.5, 0.1, 0), 100, (50, 10, 0)),
        (Amounts(10, 5, "rest"), 15, (10, 5, 0)),
    ],
)
def test_amounts(amounts, size, counts):
    assert amounts.counts(size) == counts


@pytest.mark.parametrize(
    ("amounts", "size"),
    [
        (Amounts(), 2),
        (Amounts(90, 10, 10), 100),
        (Amounts(0, 10, 10), 100),
        (Amounts(1.5, 10, 10), 100),
        (Amounts("all", 10, 10), 100),
        (Amounts(10, -1, 10), 100),
        (Amounts("rest", "rest", 10), 100),
    ],
)
def test_amounts_that_cannot_be(amounts, size):
    with pytest.raises(ValueError, match=r"cannot be taken of|is a number|Only one"):
        amounts.counts(size)


def test_random_is_the_split_by_numbers():
    ours = random_split(chains([2] * 100), Amounts(60, 20, 20), seed=5)
    theirs = named_split("n", 100, 60, 20, 20, seed=5)
    assert parts(ours) == parts(theirs)


def test_by_size():
    ours = size_split(chains([5, 2, 9, 3, 3, 7, 1]), Amounts(3, 1, 2))
    assert parts(ours) == [[6, 1, 3], [0], [5, 2]]


def test_groups_stay_together():
    labels = np.repeat(np.arange(50), 4)
    np.random.default_rng(0).shuffle(labels)
    structures = chains([2] * 200, group=labels)
    ours = group_split(structures, Amounts("rest", 0.1, 0.2), seed=1)
    assert check_parts(ours, 200) == [140, 20, 40]
    train, validation, test = [set(labels[part].tolist()) for part in parts(ours)]
    assert not train & validation and not train & test and not validation & test
    assert parts(ours) == parts(group_split(structures, Amounts("rest", 0.1, 0.2), seed=1))
    assert parts(ours) != parts(group_split(structures, Amounts("rest", 0.1, 0.2), seed=2))


def test_what_groups_have_in_common():
    smiles = ["C", "CC", "C", "CC"]
    assert group_labels(chains([1, 2, 1, 2], smiles=smiles, y=[7, 7, 8, 9])).tolist() == [0, 1] * 2
    assert group_labels(chains([1, 2, 1, 2], y=[7, 7, 8, 9]), "y").tolist() == [0, 0, 1, 2]
    assert group_labels(chains([1, 2, 1, 3])).tolist() == [0, 1, 0, 2]
    known = np.array([True, False, False, True])
    column = Column(np.array(["a", "", "", "a"]), known=known)
    structures = chains([1] * 4).with_columns({"group": column})
    assert group_labels(structures).tolist() == [0, 1, 2, 0]
    order = from_atoms([Atoms("CO", np.eye(2, 3)), Atoms("OC", np.eye(2, 3))])
    assert group_labels(order).tolist() == [0, 1]


def test_groups_that_are_too_large():
    with pytest.raises(ValueError, match=r"No group is small enough for 10 structures of val"):
        group_split(chains([2] * 100, group=[0] * 50 + [1] * 50))


def test_scaffolds():
    pytest.importorskip("rdkit", reason="rdkit is not installed")
    smiles = ["CC1CCCC1", "Cc1ccccc1", "CCc1ccccc1", "Oc1ccccc1", "c1ccncc1", "Nc1ccccc1"]
    ours = scaffold_split(chains([2] * 6, smiles=smiles), Amounts(4, 1, 1))
    assert parts(ours) == [[1, 2, 3, 5], [0], [4]]


def test_large_groups_exceed_the_amounts_by_half():
    ours = group_split(chains([2] * 49, group=[0] * 33 + [1] * 8 + [2] * 8), seed=1)
    assert sorted(check_parts(ours, 49)) == [8, 8, 33]


def test_by_texts():
    structures = chains([2] * 6, config_type=["md", "md", "dimer", "md", "atom", "md"])
    ours = column_split(structures, "config_type", ["dimer"], ["atom"])
    assert parts(ours) == [[0, 1, 3, 5], [4], [2]]
    ours = column_split(structures, "config_type", ["dimer"], 2, seed=3)
    assert check_parts(ours, 6) == [3, 2, 1] and parts(ours)[2] == [2]
    assert parts(column_split(structures, "config_type", ["dimer"], [], ["md"]))[0] == [0, 1, 3, 5]
    with pytest.raises(ValueError, match="No structure has config_type='slab'; there are 'atom'"):
        column_split(structures, "config_type", ["slab"])
    with pytest.raises(ValueError, match="is in two parts"):
        column_split(structures, "config_type", ["md"], ["md"])
    with pytest.raises(ValueError, match="left to train on"):
        column_split(structures, "config_type", ["md", "atom", "dimer"], [])


def test_in_time_with_a_gap():
    ours = time_split(chains([2] * 100), Amounts("rest", 10, 20), gap=5)
    train, validation, test = parts(ours)
    assert train == list(range(60))
    assert validation == list(range(65, 75)) and test == list(range(80, 100))
    ours = time_split(chains([2] * 10), Amounts(4, 0, 2), gap=1)
    assert parts(ours) == [[0, 1, 2, 3], [], [5, 6]]


def test_each_trajectory_is_cut_in_time():
    structures = chains([2] * 30)
    structures.source[:] = "a"
    structures.source[10:] = "b"
    train, validation, test = parts(time_split(structures, Amounts(0.8, 0.1, 0.1)))
    assert train == [*range(8), *range(10, 26)]
    assert validation == [8, 26, 27] and test == [9, 28, 29]


def test_trajectories_that_are_too_short():
    with pytest.raises(ValueError, match="no room for gaps of 9"):
        time_split(chains([2] * 10), gap=9)
    structures = chains([2] * 10)
    object.__setattr__(structures, "source", np.array([str(k) for k in range(10)]))
    with pytest.raises(ValueError, match="too short to be cut"):
        time_split(structures)
