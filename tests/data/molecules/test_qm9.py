"""QM9 as a data set: on three molecules that the test writes, and on the real ones."""

import importlib.util
import pickle

import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data

from steerable.data import QM9, TARGETS, composition, fit_references, split, target
from steerable.data.molecules import qm9 as module


@pytest.fixture
def small(source):
    """Methane, water and ethyne."""
    return QM9(source)


@pytest.fixture(scope="module")
def real(session_cache):
    """All of QM9."""
    if importlib.util.find_spec("qm9pack") is None:
        pytest.skip("qm9pack is not installed: pip install 'steerable[qm9]'")
    return QM9()


# The first molecule as PyTorch Geometric prints it, processed from the authors' files.
GDB_1 = (
    "0.0000 13.2100 -10.5499 3.1865 13.7363 35.3641 1.2177 -1101.4878 -1101.4098 -1101.3840 "
    "-1102.0229 6.4690 -17.1722 -17.2868 -17.3897 -16.1519 157.7118 157.7100 157.7070"
)


def test_a_molecule_is_data_as_in_pytorch_geometric(small):
    methane = small[0]
    assert isinstance(methane, Data)
    assert (methane.z.dtype, methane.pos.dtype, methane.y.dtype) == (
        torch.int64,
        torch.float32,
        torch.float32,
    )
    assert methane.z.tolist() == [6, 1, 1, 1, 1]
    assert methane.pos.shape == (5, 3)
    assert (methane.smiles, methane.name, methane.idx) == ("C", "gdb_1", 0)
    assert (small[-1].smiles, small[-1].name, small[-1].idx) == ("C#C", "gdb_4", 3)


def test_the_first_molecule_has_the_known_targets(small):
    assert small[0].y.shape == (1, 19)
    assert " ".join(f"{value:.4f}" for value in small[0].y[0].tolist()) == GDB_1


def test_molecules_make_a_batch(small):
    batch = Batch.from_data_list(list(small))
    assert batch.y.shape == (3, 19)
    assert batch.batch.tolist() == [0] * 5 + [1] * 3 + [2] * 4
    assert batch.idx.tolist() == [0, 2, 3]


@pytest.mark.parametrize(
    "index",
    [
        slice(1, None),
        [1, 2],
        np.array([1, 2]),
        torch.tensor([1, 2]),
        np.array([False, True, True]),
        torch.tensor([False, True, True]),
        range(1, 3),
    ],
)
def test_several_indices_give_a_view(small, index):
    view = small[index]
    assert isinstance(view, QM9)
    assert len(view) == 2
    assert [data.smiles for data in view] == ["O", "C#C"]
    assert view[0].smiles == "O"
    assert view.gdb.tolist() == [3, 4]
    assert [z.tolist() for z in view.numbers] == [[8, 1, 1], [6, 6, 1, 1]]
    np.testing.assert_array_equal(view.targets, small.targets[1:])
    assert view.y.dtype == torch.float32
    assert view[::-1][0].smiles == "C#C"
    assert len(view[[]]) == 0
    assert len(small) == 3


def test_an_index_out_of_range_or_of_a_wrong_kind_is_an_error(small):
    for index in (3, -4, [0, 3], 1.0, "1", [True, False]):
        with pytest.raises(IndexError):
            small[index]


def test_structures_are_the_molecules(small):
    structures = small[[2, 0]].structures()
    assert [structures.name(k) for k in (0, 1)] == ["gdb_4", "gdb_1"]
    assert structures.columns["smiles"].data.tolist() == ["C#C", "C"]
    for k, data in enumerate(small[[2, 0]]):
        atoms = slice(*structures.ends[k : k + 2])
        assert structures.z[atoms].tolist() == data.z.tolist()
        assert np.array_equal(structures.pos[atoms], data.pos.double().numpy())
        for entry in TARGETS:
            column = structures.columns[entry.name]
            assert column.unit == entry.unit
            assert np.float32(column.data[k]) == data.y[0, entry.column].item()


def test_changing_a_molecule_leaves_the_data_set_alone(small):
    small[0].pos.zero_()
    small[0].z.zero_()
    assert small[0].pos.abs().sum() > 0
    assert small[0].z[0] == 6


def test_a_copy_of_a_data_set_survives_pickling(small):
    again = pickle.loads(pickle.dumps(small[1:]))
    assert [data.smiles for data in again] == ["O", "C#C"]


def test_the_cache_is_read_as_long_as_the_source_is_the_same(source, write, rows, monkeypatch):
    first = QM9(source)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_source", lambda files: pytest.fail("the source was read again"))
        np.testing.assert_array_equal(QM9(source).targets, first.targets)
    write(source / "qm9_part1.csv", rows[0], rows[1] | {"Dipole_debye": "2.0"})
    assert QM9(source).targets[1, 0] == 2.0


def test_an_incomplete_package_is_an_error(source, monkeypatch):
    files = module.source_files(source)
    monkeypatch.setattr(module, "source_files", lambda root: files)
    with pytest.raises(
        ValueError, match="should have 130,831 molecules and has 3: its installation is incomplete"
    ):
        QM9()


def test_all_molecules_are_there(real):
    assert len(real) == 130_831
    assert real.gdb[0] == 1
    assert real.gdb[-1] == 133_885
    assert sum(map(len, real.numbers)) == 2_359_210
    assert " ".join(f"{value:.4f}" for value in real[0].y[0].tolist()) == GDB_1


def test_means_and_deviations_of_the_targets_are_the_known_ones(real):
    # Of PyTorch Geometric's data set, to the digits that are known.
    known = {
        "mu": (2.673, 1.5035),
        "alpha": (75.281, 8.174),
        "lumo": (0.322, 1.275),
        "r2": (1189.4, 280.5),
        "zpve": (4.057, 0.902),
        "U0_atom": (-76.12, 10.32),
        "cv": (31.62, 4.07),
    }
    for name, (mean, deviation) in known.items():
        values = real.targets[:, target(name).column]
        assert values.mean() == pytest.approx(mean, abs=6e-4 * abs(mean) + 5e-4)
        assert values.std() == pytest.approx(deviation, rel=2e-3)


def test_extensive_targets_are_those_that_composition_explains(real):
    counts = composition(real[::50].numbers, (1, 6, 7, 8, 9))
    for known in TARGETS:
        values = real[::50].targets[:, known.column]
        left = values - counts @ fit_references(counts, values)
        assert (left.var() < 0.4 * values.var()) == known.extensive, known.name


def test_baselines_of_the_atomisation_energy(real):
    drawn = split("n", len(real), train=5000, validation=500, test=2000)
    train, test = real[drawn.train], real[drawn.test]
    column, elements = target("U0_atom").column, (1, 6, 7, 8, 9)
    reference = fit_references(composition(train.numbers, elements), train.targets[:, column])
    predicted = composition(test.numbers, elements) @ reference
    assert np.abs(test.targets[:, column] - predicted).mean() == pytest.approx(0.87, abs=0.05)
    assert np.abs(
        test.targets[:, column] - train.targets[:, column].mean()
    ).mean() == pytest.approx(8.2, abs=0.4)
