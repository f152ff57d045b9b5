"""Mean errors by element and by size."""

import numpy as np
import pytest
from matplotlib.image import imread

from steerable.report import error_profile


@pytest.fixture
def axes(monkeypatch):
    figures = []
    monkeypatch.setitem(
        error_profile.__globals__, "save", lambda figure, path: figures.append(figure)
    )
    formulas, error = ["CH4", "H2O", "H2O", "CO2"], [1.0, -2.0, 4.0, 8.0]
    error_profile(formulas, error, "eV", None)
    figures[0].canvas.draw()
    return figures[0].axes


def test_each_element_has_the_mean_of_its_structures(axes):
    left, _ = axes
    assert [text.get_text() for text in left.get_xticklabels()] == ["H", "C", "O"]
    assert [bar.get_height() for bar in left.patches] == pytest.approx([7 / 3, 4.5, 14 / 3])
    assert [text.get_text() for text in left.texts] == ["3", "2", "3"]


def test_each_size_has_the_mean_of_its_structures(axes):
    _, right = axes
    (means,) = (line for line in right.lines if line.get_label() == "mean")
    assert means.get_xdata() == pytest.approx([3, 5])
    assert means.get_ydata() == pytest.approx([14 / 3, 1])
    assert [text.get_text() for text in right.texts] == ["3", "1"]


def test_many_sizes_are_put_together(tmp_path):
    formulas = [f"H{k}" for k in range(1, 200)]
    image = imread(error_profile(formulas, np.ones(199), "eV", tmp_path / "errors.png", "gap"))
    assert image.std() > 0.05
