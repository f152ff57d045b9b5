"""Pictures of digits: the idx format, rotations, and parts without a common picture."""

import gzip

import numpy as np
import pytest
import torch

from data.images.test_idx import idx
from steerable.data.images.digits import (
    Digits,
    deformations,
    read_digits,
    rotate,
    rotated_parts,
    warp,
)
from steerable.data.images.idx import read_idx


@pytest.fixture
def folder(tmp_path):
    """Six pictures for training and four for the test, packed and not."""
    random = np.random.RandomState(0)
    for part, count in (("train", 6), ("t10k", 4)):
        images = random.randint(0, 256, (count, 5, 7)).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(count, dtype=np.uint8)))
    return tmp_path


def test_files_are_read_as_they_were_published(folder):
    digits = read_digits(folder)
    assert digits.images.shape == (10, 5, 7) and digits.images.dtype == torch.float32
    assert digits.label.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    raw = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    assert torch.equal(digits.images[6:], torch.from_numpy(raw) / 255)


def test_damaged_and_absent_files_are_named(folder):
    path = folder / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte has 5 bytes of numbers"):
        read_digits(folder)
    path.unlink()
    with pytest.raises(
        ValueError, match="has no train-labels-idx1-ubyte and no train-labels-idx1-ubyte.gz"
    ):
        read_digits(folder)


def test_labels_and_pictures_must_fit(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(np.arange(3, dtype=np.uint8)))
    with pytest.raises(ValueError, match=r"\(10, 5, 7\) and \(9,\)"):
        read_digits(folder)


def test_drawn_digits():
    digits = read_digits()
    assert digits.images.shape == (1000, 28, 28) and digits.label.bincount().tolist() == [100] * 10
    assert (
        digits.images.min() == 0 and 0.05 < digits.images.mean() < 0.2 and digits.images.max() == 1
    )
    assert torch.equal(digits.images, read_digits().images)


@pytest.mark.parametrize("size", [(28, 28), (29, 29)])
def test_a_quarter_turn_goes_from_x_to_y(size):
    images = torch.rand(3, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angle = torch.full((3,), np.pi / 2, dtype=torch.float64)
    torch.testing.assert_close(
        rotate(images, angle), torch.rot90(images, 1, (1, 2)), atol=1e-10, rtol=0
    )
    torch.testing.assert_close(rotate(images, 0 * angle), images, atol=1e-10, rtol=0)


def test_any_turn_moves_a_smooth_picture_as_its_formula_says():
    axis = torch.arange(41, dtype=torch.float64) - 20
    angle = torch.tensor([0.3, 1.7, 4.0], dtype=torch.float64)

    def blob(x, y):
        return torch.exp(-((x - 6) ** 2 + (y + 3) ** 2) / 18)

    x, y = torch.meshgrid(axis, axis, indexing="ij")
    c, s = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    expected = blob(c * x + s * y, -s * x + c * y)  # f(R^-1 p)
    turned = rotate(blob(x, y).expand(3, -1, -1), angle)
    assert (turned - expected).abs().max() < 2e-2


def test_a_linear_map_moves_a_smooth_picture_as_its_formula_says():
    """g(p) = f(A p) about the middle, x down and y to the right."""
    axis = torch.arange(29, dtype=torch.float64) - 14

    def blob(x, y):
        return torch.exp(-((x - 3) ** 2 + (y + 2) ** 2) / 24)

    x, y = axis[:, None], axis[None]
    maps = deformations(4, 0.1, torch.Generator().manual_seed(0)).double()
    moved = warp(blob(x, y).expand(4, -1, -1), maps)
    for g, (a, b) in zip(moved, maps, strict=True):
        torch.testing.assert_close(
            g, blob(a[0] * x + a[1] * y, b[0] * x + b[1] * y), atol=0.015, rtol=0
        )  # the interpolation's
    spread = deformations(10_000, 0.1, torch.Generator().manual_seed(0)) - torch.eye(2)
    assert spread.std().item() == pytest.approx(0.1, rel=0.02) and spread.mean().abs() < 2e-3


def test_parts_share_no_picture_and_no_angle():
    images = torch.rand(60, 9, 9, generator=torch.Generator().manual_seed(0))
    digits = Digits(images, torch.arange(60))
    parts = rotated_parts(digits, (30, 10, 20), seed=3)
    assert [len(part) for part in parts] == [30, 10, 20]
    assert len({int(k) for part in parts for k in part.label}) == 60
    again = rotated_parts(digits, (20, 20, 20), seed=3)
    assert torch.equal(again[2].images, parts[2].images)  # the test stays what it is
    assert not torch.equal(rotated_parts(digits, (30, 10, 20), seed=4)[2].label, parts[2].label)
    for part in parts:
        assert part.images.min() >= 0 and part.images.max() <= 1
    with pytest.raises(ValueError, match="There are 60 digits for 50 \\+ 10 \\+ 1"):
        rotated_parts(digits, (50, 10, 1))
