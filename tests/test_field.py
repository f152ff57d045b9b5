"""Fields: text, arithmetic, representation matrices, restriction, harmonics, errors."""

import copy
import importlib
import io
import pickle

import numpy as np
import pytest
import torch
from e3nn import o3

from oracles.groups import EVERY, name
from steerable.field import (
    Field,
    FieldError,
    FieldMismatchError,
    harmonic_field,
    require_same_group,
)
from steerable.functions import solid_harmonics
from steerable.groups import (
    GOLDEN_ANGLE,
    O2,
    O3,
    SO2,
    SO3,
    Group,
    GroupError,
    irrep,
    irreps,
    point_group,
    rotation,
    trivial,
)

TEXT = "8x0e+4x1o"
Z, DIAGONAL, TILTED = (0, 0, 1), (1, 1, 1), (1, 2, 3)
SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def subgroups():
    """Subgroups of O(3) and O(2) by name."""
    golden = (1 + 5**0.5) / 2
    generators = {
        "O": [rotation(np.pi / 2, Z), rotation(2 * np.pi / 3, DIAGONAL)],
        "T_d": [-rotation(np.pi / 2, Z), rotation(2 * np.pi / 3, DIAGONAL)],
        "I_h": [
            rotation(2 * np.pi / 5, (0, 1, golden)),
            rotation(2 * np.pi / 3, DIAGONAL),
            -np.eye(3),
        ],
        "C_3v": [rotation(2 * np.pi / 3, DIAGONAL), SWAP],
        "S_4": [-rotation(np.pi / 2, TILTED)],
        "C_inf": [rotation(GOLDEN_ANGLE, TILTED)],
        "D_infh": [rotation(GOLDEN_ANGLE, TILTED), rotation(np.pi, (3, 0, -1)), -np.eye(3)],
        "D_4 of the plane": [rotation(np.pi / 2), np.diag([1.0, -1])],
        "mirror of the plane": [np.diag([1.0, -1])],
    }
    made = {name: Group.from_generators(matrices, name) for name, matrices in generators.items()}
    return made | {"O(3)": O3(), "SO(3)": SO3(), "SO(2)": SO2(), "O(2)": O2(), "trivial": trivial()}


def draw(group, count=5, seed=0):
    return group.sample(count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("text", "same", "dim", "channels"),
    [
        ("16x0e + 8x1o", "16x0e+8x1o", 40, 24),
        (" 3x2e+1o ", "3x2e+1x1o", 18, 4),
        ("0x1o + 2x0o", "0x1o+2x0o", 2, 2),
        ("1x1o+1x0e+2x1o", "1x1o+1x0e+2x1o", 10, 4),
        ("", "", 0, 0),
        ("   ", "", 0, 0),
    ],
)
def test_text_and_back(text, same, dim, channels):
    field = Field.parse(text)
    assert (str(field), field.dim, field.channels, field.group) == (same, dim, channels, O3())
    assert Field.parse(str(field)) == field and Field.parse(field) is field
    assert repr(field) == f"Field({same!r}, O(3))"


@pytest.mark.parametrize("text", ["8x0+4x1+2x3", "1x2"])
def test_other_groups_are_written_by_the_names_of_their_irreps(subgroups, text):
    for group in (SO3(), subgroups["O"], SO2()):
        field = Field.parse(text, group)
        assert str(field) == text and field.group == group
        assert field.dim == sum(m * irrep(group, part.name).dim for m, part in field)


@pytest.mark.parametrize("text", ["16x0e+8x1o+1x2e", "1x4o+3x0o", ""])
def test_e3nn_and_back(text):
    field = Field.parse(text)
    assert field.to_e3nn() == o3.Irreps(text) and Field.parse(str(field.to_e3nn())) == field
    assert field.to_e3nn().dim == field.dim
    assert [slice(s.start, s.stop) for s in field.to_e3nn().slices()] == field.slices()


def test_rotations_alone_are_even_for_e3nn():
    assert Field.parse("2x0+1x1", SO3()).to_e3nn() == o3.Irreps("2x0e+1x1e")


@pytest.mark.parametrize("group", [O2(), trivial()])
def test_e3nn_has_no_other_groups(group):
    with pytest.raises(FieldError, match=r"e3nn knows O\(3\) and SO\(3\); this is a field of"):
        Field(group, ()).to_e3nn()


def test_arithmetic():
    field = Field.parse("2x0e+1x1o+3x2e")
    assert str(field + Field.parse("1x0o")) == "2x0e+1x1o+3x2e+1x0o"
    assert field * 2 == 2 * field == field + field and (field * 0).dim == 0
    assert field[1:] == Field.parse("1x1o+3x2e") and field[:0].terms == ()
    assert len(field) == 3 and [(m, part.name) for m, part in field] == [
        (2, "0e"),
        (1, "1o"),
        (3, "2e"),
    ]
    assert field.slices() == [slice(0, 2), slice(2, 5), slice(5, 20)]
    assert [term.dim for term in field] == [2, 3, 15]
    assert Field(O3(), [(2, irrep(O3(), "0e"))]) == Field.parse("2x0e")
    assert Field.parse("1x0e+2x0e").is_invariant and not Field.parse("1x0e+1x0o").is_invariant
    assert Field.parse("").is_invariant


def test_equality():
    same = Group.from_generators([rotation(1.0, Z), rotation(1.0, TILTED)], "turned")
    assert (
        Field.parse("1x1", same) == Field.parse("1x1", SO3())
        and len({Field.parse("1", same), Field.parse("1", SO3())}) == 1
    )
    assert Field.parse("1x1", SO3()) != Field.parse("1x1o") and Field.parse("1x1o") != Field.parse(
        "1x1e"
    )
    assert Field.parse("1x0e+1x1o") != Field.parse("1x1o+1x0e")
    assert pickle.loads(pickle.dumps(Field.parse(TEXT))) == Field.parse(TEXT)


def test_matrices_are_those_of_e3nn():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        elements = draw(O3(), 6)
        for text in ("2x0e+1x0o+3x1o+1x1e+2x2e+1x3o", "1x5e+1x4o"):
            expected = o3.Irreps(text).D_from_matrix(elements)
            torch.testing.assert_close(
                Field.parse(text).matrix(elements), expected, atol=1e-12, rtol=0
            )
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("O(3)", "2x0o+3x1o+1x2e"),
        ("SO(3)", "2x1+1x3"),
        ("O(2)", "2x0o+1x1+2x3"),
        ("SO(2)", "2x0+3x2"),
        ("T_d", "1x0+2x1+1x2+2x3+1x4"),
        ("S_4", "2x0+1x1+2x2"),
        ("D_infh", "1x1+2x4+1x5"),
    ],
)
def test_matrices_are_a_homomorphism(subgroups, name, text):
    field = Field.parse(text, subgroups[name])
    g, h = draw(field.group), draw(field.group, seed=1)
    one = torch.eye(field.dim, dtype=torch.float64)
    torch.testing.assert_close(
        field.matrix(g) @ field.matrix(h), field.matrix(g @ h), atol=1e-12, rtol=0
    )
    torch.testing.assert_close(
        field.matrix(g) @ field.matrix(g).mT, one.expand(5, -1, -1), atol=1e-12, rtol=0
    )
    assert (
        field.matrix(g[0]).equal(field.matrix(g)[0])
        and field.matrix(g.float()).dtype == torch.float32
    )
    assert field.matrix(g[:4].unflatten(0, (2, 2))).shape == (2, 2, field.dim, field.dim)


@pytest.mark.parametrize(
    ("large", "small"),
    [
        *(
            ("O(3)", name)
            for name in [
                "O(3)",
                "SO(3)",
                "O",
                "T_d",
                "I_h",
                "C_3v",
                "S_4",
                "C_inf",
                "D_infh",
                "trivial",
            ]
        ),
        ("SO(3)", "O"),
        ("SO(3)", "C_inf"),
        ("O(2)", "D_4 of the plane"),
        ("O(2)", "mirror of the plane"),
        ("O(2)", "SO(2)"),
    ],
)
def test_restriction(subgroups, large, small):
    """rho_H(h) M = M rho_G(h) with an orthogonal M, for elements h of the subgroup."""
    texts = {
        "O(3)": "2x0o+3x1o+1x2e+2x3e+1x4e",
        "SO(3)": "2x0+3x1+2x3",
        "O(2)": "2x0o+1x0e+3x1+2x2+1x4",
    }
    field, subgroup = Field.parse(texts[large], subgroups[large]), subgroups[small]
    restricted, matrix = field.restrict(subgroup)
    assert (
        restricted.group == subgroup
        and restricted.dim == field.dim
        and matrix.dtype == torch.float64
    )
    torch.testing.assert_close(
        matrix @ matrix.T, torch.eye(field.dim, dtype=torch.float64), atol=1e-12, rtol=0
    )
    h = draw(subgroup, 6)
    torch.testing.assert_close(
        restricted.matrix(h) @ matrix, matrix @ field.matrix(h), atol=1e-12, rtol=0
    )


def test_restricting_nothing_and_to_what_is_no_subgroup(subgroups):
    restricted, matrix = Field.parse("").restrict(subgroups["O"])
    assert restricted == Field(subgroups["O"], ()) and matrix.shape == (0, 0)
    with pytest.raises(
        GroupError, match=r"T_d is not a subgroup of SO\(3\); restrict to one that is"
    ):
        Field.parse("1", SO3()).restrict(subgroups["T_d"])
    with pytest.raises(GroupError, match=r"O\(2\) is not a subgroup of O\(3\)"):
        Field.parse("1o").restrict(O2())


@pytest.mark.parametrize(
    "name",
    [
        "O(3)",
        "SO(3)",
        "T_d",
        "I_h",
        "C_3v",
        "S_4",
        "C_inf",
        "D_infh",
        "trivial",
        "O(2)",
        "D_4 of the plane",
    ],
)
def test_harmonics_as_a_field(subgroups, name):
    """M Y(g x) = rho(g) M Y(x), with an orthogonal M."""
    group = subgroups[name]
    field, matrix = harmonic_field(group, 3)
    size = 16 if group.dim == 3 else 7
    assert field.dim == size and field.group == group
    torch.testing.assert_close(
        matrix @ matrix.T, torch.eye(size, dtype=torch.float64), atol=1e-12, rtol=0
    )
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, group.dim)))
    for g in draw(group):
        moved = solid_harmonics(x @ g.T, 3) @ matrix.T
        torch.testing.assert_close(
            moved, solid_harmonics(x, 3) @ matrix.T @ field.matrix(g).T, atol=1e-11, rtol=0
        )


def test_the_harmonics_of_space_are_e3nns_spherical_harmonics():
    field, matrix = harmonic_field(O3(), 3)
    assert field.to_e3nn() == o3.Irreps.spherical_harmonics(3)
    torch.testing.assert_close(matrix, torch.eye(16, dtype=torch.float64), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("text", "came"),
    [
        ("8x0e++1o", "got '' in '8x0e[+][+]1o'"),
        ("8x0e+", "got ''"),
        ("-1x0e", "got '-1x0e' in '-1x0e'"),
        ("1.5x0e", "got '1.5x0e'"),
        ("8x0e, 4x1o", "got '8x0e, 4x1o'"),
        ("8*0e", "got '8[*]0e'"),
        (8, "got 8"),
        (None, "got None"),
    ],
)
def test_text_that_is_no_field(text, came):
    with pytest.raises(FieldError, match=rf"written like '16x0e [+] 8x1o'.*{came}"):
        Field.parse(text)


@pytest.mark.parametrize(
    ("text", "group", "message"),
    [
        (
            "8x0e+4x1",
            O3(),
            r"In the field '8x0e[+]4x1': O\(3\) has no irrep '1'; its irreps begin 0e, 0o, 1e, 1o",
        ),
        ("8x", O3(), r"O\(3\) has no irrep '8x'"),
        ("1xxe", SO3(), r"SO\(3\) has no irrep"),
        ("1e", O2(), r"O\(2\) has no irrep '1e'; its irreps begin 0e, 0o, 1, 2, 3"),
        ("2x1", trivial(), "trivial has no irrep '1'; its irreps begin 0."),
    ],
)
def test_irreps_that_the_group_has_not(monkeypatch, text, group, message):
    search = importlib.import_module("steerable.groups.irreps")._Search
    extend = search.extend

    def bounded(self):
        assert self.degree < 8, "searched on and on for a name that no irrep can have"
        extend(self)

    monkeypatch.setattr(search, "extend", bounded)
    with pytest.raises(FieldError, match=message):
        Field.parse(text, group)


def test_terms_that_are_no_field():
    with pytest.raises(
        FieldError, match=r"A multiplicity is a whole number of at least 0; got -1 of 0e of O\(3\)"
    ):
        Field(O3(), ((-1, irrep(O3(), "0e")),))
    with pytest.raises(
        FieldError, match=r"A field of O\(3\) holds irreps of O\(3\); got 1 of SO\(3\)"
    ):
        Field(O3(), ((1, irrep(SO3(), "1")),))
    with pytest.raises(FieldError, match="-1"):
        Field.parse(TEXT) * -1


def test_fields_of_two_groups():
    text = r"got 1x1o of O\(3\) and 1x1 of SO\(3\). Restrict the larger group's field first"
    one, other = Field.parse("1o"), Field.parse("1", SO3())
    with pytest.raises(
        FieldMismatchError, match=rf"A sum of fields needs fields of one group; {text}"
    ):
        one + other
    with pytest.raises(FieldMismatchError, match=rf"Linear needs fields of one group; {text}"):
        require_same_group("Linear", one, one, other)
    assert require_same_group("Linear", one, one) == O3()
    with pytest.raises(
        FieldMismatchError, match=r"Expected a field of SO\(3\); got 1x1o of O\(3\)"
    ):
        Field.parse(one, SO3())


@pytest.mark.parametrize(
    ("features", "name", "text"),
    [
        (
            torch.zeros(3, 16),
            {},
            "X expects features of 8x0e+4x1o (20 channels) and got 16. Map them with Linear first.",
        ),
        (
            torch.zeros(20, 3),
            {"name": "edge_attr"},
            "X expects edge_attr of 8x0e+4x1o (20 channels) and got 3. Map them with Linear first.",
        ),
        (
            torch.tensor(1.0),
            {},
            "X expects features of 8x0e+4x1o (20 channels) and got a number. Map them with Linear "
            "first.",
        ),
    ],
)
def test_features_that_do_not_fit(features, name, text):
    with pytest.raises(FieldMismatchError) as error:
        Field.parse(TEXT).check(features, "X", **name)
    assert str(error.value) == text and isinstance(error.value, ValueError)


@pytest.mark.parametrize("shape", [(20,), (0, 20), (2, 3, 20)])
def test_features_that_fit(shape):
    Field.parse(TEXT).check(torch.zeros(shape), "X")


def test_restriction_goes_on_from_any_group():
    whole, middle, small = point_group("Oh"), point_group("D4h"), point_group("C4v")
    field = Field(whole, tuple((2, irrep) for irrep in whole.irreps()))
    first = field.restrict(middle)
    second = first.field.restrict(small)
    for g in small.sample(4, torch.Generator().manual_seed(0)):
        change = second.matrix @ first.matrix
        assert (change @ field.matrix(g) - second.field.matrix(g) @ change).abs().max() < 1e-12
    with pytest.raises(FieldError, match=r"whole number of at least 0; got 1.5"):
        Field(whole, ((1.5, whole.irreps()[0]),))


@pytest.mark.parametrize("group", EVERY, ids=name)
def test_fields_are_loaded_as_weights(group):
    """By `torch.load(weights_only=True)`, as the hyperparameters of Lightning's checkpoints are."""
    field = Field(group, tuple((k, irrep) for k, irrep in enumerate(irreps(group, 3))))
    file = io.BytesIO()
    torch.save({"field": field}, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)["field"]
    assert loaded == field and loaded.group == group and str(loaded.group) == str(group)
    assert pickle.loads(pickle.dumps(field)) == field and copy.deepcopy(field) is field
