"""Shapes from arrays, from OFF files that the tests write, and made on the spot."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from oracles.off_files import cloud, write_folder
from steerable.data import read_shapes
from steerable.data.shapes.shapes import normalised


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path)


@pytest.fixture
def arrays(tmp_path):
    """An .npz file of four clouds, and the function that writes it with other arrays."""

    def write(**changes):
        table = {
            "points": np.random.RandomState(0).normal(size=(4, 30, 3)),
            "label": np.array([0, 0, 1, 1], dtype=np.int8),
            "is_test": np.array([0, 1, 0, 1]),
            "classes": np.array(["a", "b"]),
        } | changes
        np.savez(
            tmp_path / "shapes.npz",
            **{name: value for name, value in table.items() if value is not None},
        )
        return tmp_path / "shapes.npz"

    return write


def test_meshes_are_sampled_and_vertices_are_points(folder):
    (folder / "cloud" / "test" / "cloud_1.off").write_text(cloud(2000, seed=1))
    shapes = read_shapes(folder, points=100)
    assert shapes.classes == ("cloud", "cube")
    assert shapes.points.shape == (4, 2000, 3)  # the smallest cloud
    assert shapes.label.tolist() == [0, 0, 1, 1]
    assert shapes.is_test.tolist() == [False, True, False, True]
    rows = np.loadtxt(cloud(2000, seed=1).splitlines()[2:])
    rows -= rows.mean(0)
    rows /= np.linalg.norm(rows, axis=1).max()
    distance = np.abs(shapes.points[1].numpy()[:, None] - rows).max(-1)
    assert sorted(distance.argmin(1)) == list(range(2000))  # the same points in another order
    assert distance.min(1).max() < 1e-6


def test_meshes_have_2048_points_or_more_where_more_are_asked_for(folder):
    assert read_shapes(folder, points=100).points.shape == (4, 2048, 3)
    assert read_shapes(folder, points=2500).points.shape == (4, 2500, 3)


def test_what_a_folder_lacks_is_named(folder, tmp_path):
    with pytest.raises(
        ValueError, match="There are no shapes .*nowhere: give a folder of OFF files"
    ):
        read_shapes(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="has no shapes: they are files CLASS/train/NAME.off"):
        read_shapes(tmp_path / "empty")
    (folder / "cube" / "test" / "cube_1.off").unlink()
    with pytest.raises(ValueError, match=r"The class cube has no test/\*.off"):
        read_shapes(folder)


def test_too_few_points_and_meshes_without_area_are_refused(folder):
    with pytest.raises(
        ValueError, match="have 3000 points and 3001 were asked for: ask for at most 3000"
    ):
        read_shapes(folder, points=3001)
    flat = "OFF\n3 1 0\n0 0 0\n1 1 1\n2 2 2\n3 0 1 2\n"
    (folder / "cube" / "train" / "flat.off").write_text(flat)
    with pytest.raises(ValueError, match="flat.off has no area to draw points from: remove it"):
        read_shapes(folder)


def test_arrays(arrays):
    shapes = read_shapes(arrays(), points=30)
    assert shapes.points.dtype == torch.float32
    assert (shapes.label.tolist(), shapes.is_test.tolist(), shapes.classes) == (
        [0, 0, 1, 1],
        [False, True, False, True],
        ("a", "b"),
    )
    whole = np.random.RandomState(0).normal(size=(4, 30, 3))
    integers = read_shapes(
        arrays(points=None, points_i16=np.round(5000 * whole).astype(np.int16)), points=30
    )
    assert torch.allclose(integers.points, shapes.points, atol=2e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": None, "classes": None}, "have no label and no classes: they need points"),
        (
            {"points": np.zeros((4, 30))},
            r"need points \(cloud, point, 3\) and a label .* got \(4, 30\)",
        ),
        ({"label": np.zeros(3)}, r"got \(4, 30, 3\), \(3,\) and \(4,\)"),
        ({"label": np.array([0, 0, 1, 2])}, "numbers from 0 to 1 .* got 0 to 2"),
        ({"is_test": np.zeros(4)}, "have no test cloud of the class a"),
        ({"is_test": np.array([1, 1, 0, 0])}, "have no training cloud of the class a"),
        (
            {"points": np.ones((4, 30, 3))},
            r"not all in one place; those with the numbers \[0, 1, 2, 3\] have not",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, changes, message):
    with pytest.raises(ValueError, match=message):
        read_shapes(arrays(**changes), points=30)


def test_clouds_are_centred_and_of_unit_radius_and_that_turns_with_them():
    generator = torch.Generator().manual_seed(0)
    points = 7 * torch.randn(5, 40, 3, generator=generator, dtype=torch.float64) + 3
    found = normalised(points)
    assert torch.allclose(found.mean(1), torch.zeros(5, 3), atol=1e-6)
    assert torch.allclose(found.norm(dim=-1).amax(1), torch.ones(5))
    turn = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64)).Q
    assert torch.allclose(normalised(points @ turn.T), found @ turn.float().T, atol=1e-6)


def test_a_point_that_is_no_number_is_refused():
    points = torch.randn(3, 10, 3, generator=torch.Generator().manual_seed(0))
    points[1, 4, 2] = float("nan")
    with pytest.raises(ValueError, match=r"need finite points .* numbers \[1\] have not"):
        normalised(points)


def test_solids_are_made_where_nothing_is_given():
    shapes = read_shapes()
    assert shapes.points.shape == (840, 2048, 3)
    assert shapes.label.bincount().tolist() == [120] * 7
    assert shapes.label[shapes.is_test].bincount().tolist() == [40] * 7
    assert shapes.classes[:2] == ("box", "capsule")


def test_modelnet10_has_its_official_split():
    path = (
        Path(os.environ.get("STEERABLE_DATA", "nowhere")) / "modelnet10" / "modelnet10_1024_i16.npz"
    )
    if not path.is_file():
        pytest.skip("STEERABLE_DATA names no folder with modelnet10/modelnet10_1024_i16.npz")
    shapes = read_shapes(path)
    assert shapes.points.shape == (4899, 1024, 3)
    assert shapes.label[~shapes.is_test].bincount().tolist() == [
        106,
        515,
        889,
        200,
        200,
        465,
        200,
        680,
        392,
        344,
    ]
    assert shapes.label[shapes.is_test].bincount().tolist() == [
        50,
        100,
        100,
        86,
        86,
        100,
        86,
        100,
        100,
        100,
    ]
