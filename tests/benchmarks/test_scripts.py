"""Every benchmark keeps the contract, and everyone it measures computes what it should."""

import pickle

import conv
import grids
import harmonics
import neighbours
import pdo
import permutations
import pytest
import segment
import sets
import sphere
import stencils
from harness import Row


@pytest.mark.parametrize(
    "script",
    [conv, grids, harmonics, neighbours, pdo, permutations, segment, sets, sphere, stencils],
)
def test_cases_keep_the_contract(script):
    for quick in (True, False):
        cases = script.cases(quick)
        assert all(next(iter(case.rivals)) == "steerable" for case in cases)
        pickle.dumps([case.rivals for case in cases])
    assert script.__doc__.splitlines()[-1].startswith(
        f"    python benchmarks/{script.__name__}.py [--quick]"
    )


@pytest.mark.parametrize(
    "script", [grids, harmonics, neighbours, pdo, permutations, segment, sets, stencils]
)
def test_errors_are_those_of_float32(script):
    seen = 0
    for case in script.cases(quick=True):
        for name, build in case.rivals.items():
            try:
                error = build().error() if "compiled" not in name else 0.0
            except ImportError:
                continue
            assert 0 <= error < 5e-6, (case.name, name)
            seen += 1
    assert seen >= 4


def test_the_official_code_is_scaled_by_e3nn():
    rows = [
        Row("implicit, 100 edges, forward", conv.MEASURE, 283.0, 1.0, 0.0, 283 / 148),
        Row("implicit, 100 edges, forward", "steerable", 148.0, 1.0, 0.0, 1.0),
    ]
    (row,) = conv.official(rows, threads=1)
    assert (
        row.median_ms == pytest.approx(1480)
        and row.ratio == pytest.approx(10)
        and row.error is None
    )
    assert conv.official(rows[1:], threads=1) == []
