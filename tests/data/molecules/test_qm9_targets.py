"""The targets of QM9 against those of PyTorch Geometric."""

import numpy as np
import pytest
from torch_geometric.datasets import qm9 as peer

from steerable.data import TARGETS, target
from steerable.data.molecules.qm9_targets import ELEMENTS, FREE_ATOMS, HARTREE, in_units_of_targets


def test_names_and_order():
    names = "mu alpha homo lumo gap r2 zpve U0 U H G cv U0_atom U_atom H_atom G_atom A B C"
    assert [known.name for known in TARGETS] == names.split()
    assert [known.column for known in TARGETS] == list(range(19))
    assert all(target(known.name) is known for known in TARGETS)


def test_factors_are_those_of_pytorch_geometric():
    # Its atomisation energies start from kcal/mol.
    expected = peer.conversion.double().numpy() * np.where(
        (np.arange(19) > 11) & (np.arange(19) < 16), 627.509, 1
    )
    np.testing.assert_allclose([known.factor for known in TARGETS], expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "column"), [("U0_atom", 7), ("U_atom", 8), ("H_atom", 9), ("G_atom", 10)]
)
def test_free_atoms_are_those_of_pytorch_geometric(name, column):
    np.testing.assert_allclose(
        np.array(FREE_ATOMS[name]) * HARTREE, peer.atomrefs[column], rtol=1e-6
    )


def test_an_atom_has_no_atomisation_energy():
    for element in range(len(ELEMENTS)):
        raw = np.array([[FREE_ATOMS.get(known.name, [1.0] * 5)[element] for known in TARGETS]])
        values = in_units_of_targets(raw, np.eye(len(ELEMENTS))[element : element + 1])
        np.testing.assert_array_equal(values[0, 12:16], 0)


@pytest.mark.parametrize(
    ("name", "close"), [("u0_atom", "U0_atom"), ("c_v", "cv"), ("Homo", "homo"), ("u", "U")]
)
def test_an_unknown_name_is_corrected(name, close):
    with pytest.raises(
        ValueError,
        match=rf"no target '{name}' \(did you mean '{close}'\?\): choose one of mu, alpha",
    ):
        target(name)


def test_a_name_like_none_lists_them_all():
    with pytest.raises(
        ValueError, match="no target 'density': choose one of mu, alpha, homo.*A, B, C"
    ):
        target("density")
