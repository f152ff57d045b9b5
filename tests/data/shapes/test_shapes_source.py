"""OFF files as they are written and damaged, folders of them, and archives."""

import numpy as np
import pytest
import torch

from oracles.off_files import CUBE, cloud, write_folder
from steerable.data import read_shapes
from steerable.data.shapes.shapes_source import read_arrays, read_off


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path)


def test_the_points_of_a_mesh_are_even_on_its_surface(folder):
    pos = read_shapes(folder, points=2900).points[2]
    high, low = pos.max(0).values, pos.min(0).values
    on = torch.minimum(high - pos, pos - low) < 1e-4
    assert on.any(1).all()
    assert torch.allclose(on.float().mean(0), torch.full((3,), 1 / 3), atol=0.04)


def test_a_raw_folder_is_looked_into(folder, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "raw").symlink_to(folder)
    assert torch.equal(read_shapes(root, 100).points, read_shapes(folder, 100).points)


def test_files_are_read_once_and_again_when_they_change(folder, monkeypatch):
    first = read_shapes(folder, 100)
    monkeypatch.setattr("steerable.data.shapes.shapes_source._read", None)
    assert torch.equal(read_shapes(folder, 100).points, first.points)
    monkeypatch.undo()
    (folder / "cloud" / "train" / "cloud_1.off").write_text(cloud(2500, seed=1))
    assert not torch.equal(read_shapes(folder, 100).points, first.points)


def test_reading_leaves_the_random_numbers_of_the_process_alone(folder):
    state = torch.get_rng_state()
    read_shapes(folder, 101)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("text", "vertices", "faces"),
    [
        (CUBE, 8, 12),
        (CUBE.rstrip("\n"), 8, 12),
        (CUBE.replace("\n", "\r\n"), 8, 12),
        (
            CUBE.replace("OFF\n# a cube of side 2, half of its faces as two triangles\n", "OFF"),
            8,
            12,
        ),
        (cloud(5), 5, 0),
    ],
)
def test_off_files_as_they_are_written(tmp_path, text, vertices, faces):
    (tmp_path / "a.off").write_bytes(text.encode())
    data = read_off(tmp_path / "a.off")
    assert data.pos.shape == (vertices, 3)
    assert data.face.numel() == 3 * faces


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it does not begin with OFF"),
        ("PLY\n", "it does not begin with OFF"),
        ("OFF\n", "index out of range"),
        ("OFF\nmany 0 0\n", "many"),
        (CUBE[: len(CUBE) // 2], r"it ends after \d+ of 19 lines"),
        (CUBE.replace("3 0 1 2", "3 0 1 8"), "a face has a vertex that is not there"),
        (CUBE.replace("3 0 1 2", "5 0 1 2 3 4"), "faces of 5 corners"),
        (CUBE.replace("-1 -1 -1", "-1 -1 nan"), "not rows of three finite numbers"),
        (CUBE.replace("-1 -1 -1", "-1 -1"), "whole OFF file"),
        ("OFF\n0 0 0\n", "not rows of three finite numbers"),
    ],
)
def test_a_damaged_off_file_is_refused(tmp_path, text, message):
    (tmp_path / "a.off").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_off(tmp_path / "a.off")
    assert "a.off is not a whole OFF file" in str(error.value)
    assert "unpack the data again, or remove it" in str(error.value)


def test_arrays_of_integers_and_arrays_that_are_missing(tmp_path):
    path, points = tmp_path / "shapes.npz", np.arange(12, dtype=np.int16).reshape(2, 2, 3)
    np.savez(path, points_i16=points, label=[0, 1], is_test=[0, 1], classes=["a", "b"])
    table = read_arrays(path)
    assert set(table) == {"points", "label", "is_test", "classes"}
    np.testing.assert_array_equal(table["points"], points)
    np.savez(path, points=points, classes=["a", "b"])
    with pytest.raises(ValueError, match="have no label and no is_test: they need points"):
        read_arrays(path)
    path.write_bytes(b"PK damaged")
    with pytest.raises(ValueError, match="shapes.npz cannot be read"):
        read_arrays(path)
