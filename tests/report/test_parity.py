"""Parity figures: what is subtracted, and which items are named."""

import numpy as np
import pytest
from matplotlib.image import imread

from steerable.report import parity


@pytest.fixture
def drawn(monkeypatch):
    """Draws a parity figure and returns its axes."""
    figures = []
    monkeypatch.setitem(parity.__globals__, "save", lambda figure, path: figures.append(figure))

    def draw(*arguments, **settings):
        parity(*arguments, path=None, **settings)
        figures[-1].canvas.draw()
        return [axes for axes in figures[-1].axes if axes.get_label() != "<colorbar>"]

    return draw


def points(axes):
    return axes.collections[0].get_offsets().data


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("count", [1, 2, 500])
def test_parity_is_a_picture(tmp_path, count):
    true = np.random.default_rng(0).normal(size=count)
    image = imread(parity(true, true + 0.1, "eV", tmp_path / "parity.png"))
    assert image.std() > 0.05


def test_perfect_predictions_have_a_picture(tmp_path):
    assert parity([1.0, 2.0], [1.0, 2.0], "D", tmp_path / "parity.png").is_file()


def test_the_box_has_errors_and_the_explained_variance(drawn):
    true = np.array([1.0, 2.0, 3.0, 4.0])
    axes, *_ = drawn(true, true + np.array([0.7, -0.7, 0.7, -0.7]), "eV")
    assert texts(axes) == ["MAE 0.700 eV\nRMSE 0.700 eV\nlargest 0.700 eV\nR$^2$ 0.6080"]
    assert axes.get_xlabel() == "true [eV]"


def test_sums_over_atoms_show_what_composition_leaves(drawn):
    rng = np.random.default_rng(0)
    composition, rest = rng.uniform(-400, -300, 50), rng.normal(size=50)
    axes, *_ = drawn(composition + rest, composition + rest + 0.1, "eV", composition=composition)
    shown = points(axes)
    np.testing.assert_allclose(np.sort(shown[:, 0]), np.sort(rest), atol=1e-10)
    np.testing.assert_allclose(shown[:, 1], shown[:, 0] + 0.1, atol=1e-10)
    assert axes.get_xlabel() == "true less fit of composition [eV]"
    assert "MAE 0.100 eV" in texts(axes)[0]


def test_numbers_far_from_zero_show_their_distance_from_the_mean(drawn):
    true = -4209.5 + np.array([-0.2, 0.0, 0.1, 0.1])
    axes, *_ = drawn(true, true + 0.05, "eV")
    np.testing.assert_allclose(np.sort(points(axes)[:, 0]), [-0.2, 0.0, 0.1, 0.1], atol=1e-9)
    assert axes.get_xlabel() == "true less mean (-4209.5 eV) [eV]"
    assert axes.xaxis.get_offset_text().get_text() == ""
    near = 8.0 + np.arange(4.0)
    assert drawn(near, near, "eV")[0].get_xlabel() == "true [eV]"


def test_the_largest_errors_are_named_once_each(drawn):
    error = np.array([0.1, -3.0, 2.0, 0.0, 2.5] + [0.01] * 20)
    labels = ["a", "b", "b", "c", "d", *(f"e{k}" for k in range(20))]
    left, _, names = drawn(np.zeros(25), error, "eV", labels=labels)
    lines = [text for text in texts(names) if not text.isdecimal()]
    assert lines[:3] == ["b  -3.00 eV", "d  +2.50 eV", "a  +0.100 eV"]
    assert len(lines) == 10
    assert texts(left)[1:4] == ["1", "2", "3"]
