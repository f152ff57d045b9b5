"""The numbers in figures."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from steerable.report.style import (
    item_label,
    log_axis,
    plain_numbers,
    signed,
    significant,
    tick_labels,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.7, "0.700"), (0.0, "0.00"), (12.0, "12.0"), (350.0, "350"), (1234.6, "1,235"),
        (-0.0456, "-0.0456"), (1e-6, "1.00e-06"), (float("nan"), "nan"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert significant(value) == text


def test_errors_have_their_signs():
    assert [signed(x) for x in (0.5, -0.5, 0.0)] == ["+0.500", "-0.500", "0.00"]


def test_a_formula_that_is_the_name_is_not_repeated():
    assert item_label("gdb_1", "CH4") == "gdb_1 CH4"
    assert item_label("CH4", "CH4") == item_label("CH4") == "CH4"


@pytest.mark.parametrize("factor", [1.01, 1.1, 1.3, 1.6, 2.0, 5.0, 30.0, 1e3, 1e7])
def test_a_logarithmic_axis_has_numbers_to_read(factor):
    for low in np.random.default_rng(0).uniform(-4, 4, 20):
        axes = Figure().add_subplot()
        axes.set_yscale("log")
        axes.set_ylim(10**low, factor * 10**low)
        log_axis(axes.yaxis, *axes.get_ylim())
        axes.figure.canvas.draw()
        bottom, top = axes.get_ylim()
        assert (bottom, top) == pytest.approx((10**low, factor * 10**low))
        labels = [
            (label.get_position()[1], label.get_text())
            for label in axes.get_yticklabels()
            if bottom <= label.get_position()[1] <= top
        ]
        assert len(labels) >= 3
        assert len({text for _, text in labels}) == len(labels)
        for place, text in labels:
            assert float(text) == pytest.approx(place, rel=1e-5)


def test_evenly_spaced_ticks_have_equal_decimals():
    assert tick_labels([0.65, 0.7, 0.75]) == ["0.65", "0.70", "0.75"]
    assert tick_labels([1.0, 2.0, 5.0, 10.0]) == ["1", "2", "5", "10"]


def test_linear_axes_have_no_offset():
    axes = Figure().add_subplot()
    axes.plot([-4209.51, -4209.50], [-4209.51, -4209.50])
    plain_numbers(axes)
    axes.figure.canvas.draw()
    assert axes.yaxis.get_offset_text().get_text() == ""
    assert "4209.5" in axes.get_yticklabels()[1].get_text()
