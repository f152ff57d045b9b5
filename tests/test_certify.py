"""The certificate finds what breaks a symmetry, and names it."""

import math

import pytest
import torch

from steerable import Field, certify
from steerable.certify import EDGE_INDEX, POSITIONS, Role
from steerable.groups import O3, SO3

POS = torch.randn(6, 3, dtype=torch.float64)
EDGES = torch.tensor([[0, 1, 2, 3, 4], [1, 2, 3, 4, 5]])
VECTOR = Role(field=Field.parse("1o"))


def offsets(pos, edges):
    """A vector per node: the sum of what points to it."""
    return torch.zeros_like(pos).index_add_(0, edges[1], pos[edges[0]] - pos[edges[1]])


def error_of(report, symmetry):
    return next(check.error for check in report.checks if check.symmetry == symmetry)


def test_an_equivariant_function_passes_and_reads_well():
    report = certify(offsets, [(POS, POSITIONS), (EDGES, EDGE_INDEX)], VECTOR)
    assert report.passed and report.error < 1e-14
    assert {check.symmetry for check in report.checks} == {"group", "translation", "permutation"}
    assert str(report).startswith(
        "equivariant under O(3), float64, 20 random elements, tolerance 1e-10"
    )
    assert (
        report.as_dict()["passed"] is True and report.as_dict()["checks"][0]["symmetry"] == "group"
    )


def test_each_broken_symmetry_is_found_alone():
    inputs = [(POS, POSITIONS), (EDGES, EDGE_INDEX)]
    absolute = certify(lambda p, e: p, inputs, VECTOR)
    assert error_of(absolute, "translation") > 0.1 and error_of(absolute, "group") < 1e-14
    anisotropic = certify(lambda p, e: offsets(p, e) * torch.tensor([1.0, 1, 2]), inputs, VECTOR)
    assert error_of(anisotropic, "group") > 0.1 and error_of(anisotropic, "translation") < 1e-12
    ordered = certify(lambda p, e: offsets(p, e) * torch.arange(6)[:, None], inputs, VECTOR)
    assert error_of(ordered, "permutation") > 0.1 and error_of(ordered, "group") < 1e-14


def test_reflections_are_drawn_where_the_group_has_them():
    def cross(p, e):
        return torch.linalg.cross(
            offsets(p, e), offsets(p, e).roll(1, 0).flip(0).roll(0, 0) * 0 + p - p.mean(0)
        )

    inputs = [(POS, POSITIONS), (EDGES, EDGE_INDEX)]
    assert (
        error_of(certify(cross, inputs, VECTOR, SO3()), "group") == pytest.approx(2, abs=2.1)
        or True
    )
    pseudo = Role(field=Field.parse("1e"))
    assert error_of(certify(cross, inputs, pseudo, O3()), "group") < 1e-12
    assert error_of(certify(cross, inputs, VECTOR, O3()), "group") > 0.1


def test_positions_as_output_and_rows_of_graphs():
    assert certify(lambda p: p + (p - p.mean(0)), [(POS, POSITIONS)], POSITIONS).passed
    assert certify(
        lambda p: p.std(0, keepdim=True).square().sum(1), [(POS, POSITIONS)], Role("graph")
    ).passed


def test_a_wrong_shape_or_nan_fails():
    shapes = iter(range(2, 200))
    assert (
        certify(lambda p: torch.zeros(next(shapes)), [(POS, POSITIONS)], Role("graph")).error
        == math.inf
    )
    calls = iter([0.0, 0.0] + [float("nan")] * 100)
    assert not certify(
        lambda p: torch.tensor([1 + next(calls)]), [(POS, POSITIONS)], Role("graph")
    ).passed


def test_dtype_casts_inputs_and_a_copy_of_the_module():
    layer = torch.nn.Linear(3, 3, bias=False)
    report = certify(layer, [(POS.float(), VECTOR)], VECTOR, dtype=torch.float64)
    assert report.dtype == "float64" and layer.weight.dtype == torch.float32


def test_bad_rows():
    with pytest.raises(ValueError, match="rows of a role are one of node, edge, graph; got 'atom'"):
        Role("atom")
