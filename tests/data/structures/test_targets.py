import numpy as np
import pytest

from steerable.data.structures import Column, MissingColumnError, Structures
from steerable.data.structures.targets import Target, TargetError, find_target, target_values

SIZES = [3, 5, 2, 4, 6, 3, 5, 2]


def structures_with(**columns):
    """Eight random structures of H, C and O with some columns."""
    random = np.random.default_rng(0)
    atoms = sum(SIZES)
    return Structures(
        random.choice([1, 6, 8], atoms),
        random.normal(size=(atoms, 3)),
        np.concatenate([[0], np.cumsum(SIZES)]),
        np.zeros((len(SIZES), 3, 3)),
        np.zeros((len(SIZES), 3), dtype=bool),
        columns,
    )


def numbers(*shape):
    return np.random.default_rng(1).normal(size=(len(SIZES), *shape))


def test_a_sum_over_atoms_is_extensive_and_a_mean_is_not():
    plain = structures_with()
    per_atom = {1: -13.6, 6: -1030.0, 8: -2040.0}
    sums = np.array([sum(per_atom[z] for z in part) for part in plain.numbers()])
    both = {
        "sum": Column(sums + 0.1 * numbers()),
        "mean": Column(sums / plain.sizes + 0.1 * numbers()),
    }
    structures = structures_with(**both)
    assert find_target(structures, "sum").is_extensive
    assert not find_target(structures, "mean").is_extensive
    assert not find_target(structures, "sum", is_extensive=False).is_extensive


@pytest.mark.parametrize(("name", "unit", "extensive"), [("energy", "", True), ("gap", "", False)])
def test_of_one_molecule_energies_are_extensive(name, unit, extensive):
    z, pos = np.tile([8, 1, 1], 4), np.random.default_rng(2).normal(size=(12, 3))
    structures = Structures(
        z,
        pos,
        np.arange(0, 13, 3),
        np.zeros((4, 3, 3)),
        np.zeros((4, 3), dtype=bool),
        {name: Column(np.arange(4.0), unit=unit)},
    )
    assert find_target(structures, name).is_extensive == extensive


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (numbers(), "scalar"),
        (numbers(1), "scalar"),
        (numbers(3), "vector"),
        (numbers(1, 3), "vector"),
        (numbers(3, 3), "tensor"),
        (numbers(9), "tensor"),
        (numbers(6), "tensor"),
        (np.array(["a", "b"] * 4), "class"),
        (np.array([True, False] * 4), "class"),
        (np.arange(8), "scalar"),
    ],
)
def test_the_kind_is_guessed(values, kind):
    target = find_target(structures_with(y=Column(values)), "y")
    assert target.kind == kind


def test_a_tensor_is_symmetric_or_general():
    general = numbers(3, 3)
    symmetric = general + general.swapaxes(1, 2)
    structures = structures_with(general=Column(general), symmetric=Column(symmetric))
    assert not find_target(structures, "general").is_symmetric
    assert find_target(structures, "symmetric").is_symmetric


def test_six_numbers_are_in_the_order_of_ase():
    from ase.stress import voigt_6_to_full_3x3_stress

    values = numbers(6)
    structures = structures_with(stress=Column(values))
    tensors = target_values(structures, find_target(structures, "stress"))
    for row, tensor in zip(values, tensors, strict=True):
        assert np.array_equal(tensor, voigt_6_to_full_3x3_stress(row))


def test_classes_are_numbered_by_name_and_missing_ones_are_nan():
    known = np.array([True] * 7 + [False])
    column = Column(np.array([2, 1, 2, 3, 1, 2, 3, 0]), known=known)
    structures = structures_with(label=column)
    target = find_target(structures, "label", kind="class")
    assert target.classes == ("1", "2", "3")
    values = target_values(structures, target)
    assert values[:7].tolist() == [1, 0, 1, 2, 0, 1, 2]
    assert np.isnan(values[7])


def test_a_class_that_training_does_not_have_is_refused():
    structures = structures_with(label=Column(np.array(["a", "b"] * 4)))
    target = Target("label", "class", classes=("a",))
    with pytest.raises(TargetError, match=r"#1 is of the class 'b'"):
        target_values(structures, target)


def test_a_missing_row_of_a_vector_is_nan():
    known = np.array([False] + [True] * 7)
    structures = structures_with(mu=Column(numbers(3), known=known))
    values = target_values(structures, find_target(structures, "mu"))
    assert np.isnan(values[0]).all()
    assert not np.isnan(values[1:]).any()


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        (Column(np.ones(8)), {}, "nothing to learn"),
        (Column(numbers(4)), {}, r"shape \(4,\)"),
        (Column(numbers(3)), {"kind": "scalar"}, r"A scalar has rows of the shape \(\)"),
        (Column(numbers()), {"kind": "number"}, "one of scalar, vector"),
        (Column(numbers(), known=np.zeros(8, dtype=bool)), {}, "No structure"),
        (Column(np.array([np.inf, 1, 2, 3, 4, 5, 6, 7])), {}, "#0 has an infinite"),
        (Column(np.array(["a", "b"] * 4)), {"kind": "scalar"}, "kind=class"),
    ],
)
def test_what_cannot_be_learned_is_refused(column, options, message):
    with pytest.raises(TargetError, match=message):
        find_target(structures_with(y=column), "y", **options)


def test_a_quantity_over_the_number_of_atoms_is_a_mean():
    energy = Column(numbers(), unit="eV", known=np.array([True] * 7 + [False]))
    structures = structures_with(energy=energy)
    column = structures.column("energy/atom")
    assert column.unit == "eV/atom"
    assert np.array_equal(column.data, energy.data / SIZES)
    target = find_target(structures, "energy/atom")
    assert not target.is_extensive
    assert np.isnan(target_values(structures, target)[7])
    with pytest.raises(MissingColumnError):
        structures.column("gap/atom")


def test_a_quantity_that_is_not_there_is_named_with_those_that_are():
    structures = structures_with(energy=Column(numbers()), gap=Column(numbers()))
    with pytest.raises(MissingColumnError, match=r"energy, gap. Did you mean 'energy'\?"):
        find_target(structures, "enrgy")
