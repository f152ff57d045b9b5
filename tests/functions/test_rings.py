"""What all transforms between rings and coefficients share."""

import math

import pytest
import torch

from oracles.coefficients import coefficients, round_trip
from steerable.functions import rings
from steerable.functions.rings import PrecisionWarning
from steerable.functions.rotations import RotationTransform
from steerable.functions.sphere import SphereGrid, SphereTransform
from steerable.functions.spin import SpinTransform


def test_matrix_and_steps_agree(monkeypatch):
    whole = SphereTransform(6, SphereGrid("gauss", 9, 20)).double()
    monkeypatch.setattr(SphereTransform, "_dense_entries", 0)
    steps = SphereTransform(6, SphereGrid("gauss", 9, 20)).double()
    assert whole.dense and not steps.dense
    samples = torch.randn(3, 9, 20, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    torch.testing.assert_close(whole.analysis(samples), steps.analysis(samples), atol=1e-14, rtol=0)
    torch.testing.assert_close(
        whole.synthesis(coefficients(6)), steps.synthesis(coefficients(6)), atol=1e-13, rtol=0
    )


def test_constants_are_exact_and_no_part_of_the_state():
    transform = SphereTransform(20)
    assert transform.state_dict() == {}
    assert round_trip(transform.float().double()) < 5e-14
    with torch.autocast("cpu", torch.bfloat16):
        assert round_trip(SphereTransform(20), dtype=torch.float32) < 1e-6


def test_float32_warns_where_it_loses(monkeypatch):
    monkeypatch.setattr(rings, "_WORTH_A_WARNING", 5e-7)
    transform = SphereTransform(8)
    with pytest.warns(PrecisionWarning, match="degree 8 in float32: expect errors of 6e-07"):
        transform.synthesis(torch.zeros(81))
    transform.double().synthesis(torch.zeros(81, dtype=torch.float64))


def test_a_nan_is_found_by_the_steps_too():
    transform = SphereTransform(20)
    samples = torch.zeros(transform.shape)
    samples[20, 7] = math.nan
    with pytest.raises(ValueError, match="finite"):
        transform.analysis(samples)


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize("make", [SphereTransform, RotationTransform, SpinTransform])
def test_analysis_is_the_transpose_of_synthesis_on_weighted_samples(make, dense, monkeypatch):
    """mean of s f = <analysis(s), c> for the signal f of any coefficients c, in every layout."""
    monkeypatch.setattr(rings.RingTransform, "_dense_entries", 2**30 if dense else 0)
    transform = make(4).double()
    assert transform.dense == dense
    generator = torch.Generator().manual_seed(0)
    samples = torch.randn(2, *transform.shape, generator=generator, dtype=torch.float64)
    c = torch.randn(2, transform.layout.size, generator=generator, dtype=torch.float64)
    means = (samples * transform._weights * transform.synthesis(c)).flatten(1).sum(1)
    torch.testing.assert_close(means, (transform.analysis(samples) * c).sum(1))
    torch.testing.assert_close(transform.analysis(transform.synthesis(c)), c)
