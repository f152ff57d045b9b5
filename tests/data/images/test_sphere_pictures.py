"""Pictures on the sphere: projected on demand, and deformed in the plane before."""

import torch

from steerable.data import read_digits
from steerable.data.batches import Batches
from steerable.data.images.digits import deformations, warp
from steerable.data.images.sphere_digits import sphere_parts
from steerable.data.images.sphere_pictures import FlatPictures, SpherePictures


def test_pictures_are_projected_when_asked_for():
    part = sphere_parts(read_digits(), (10, 5, 5))[0]
    turned = SpherePictures(part, 12, True)
    samples, y = turned.batch(torch.tensor([4, 2]))
    assert samples.shape == (2, 12, 24) and torch.equal(y, part.digits.label[[4, 2]])
    upright = turned.upright().batch(torch.tensor([4, 2])).samples
    assert upright[:, 8:].eq(0).all() and not samples[:, 8:].eq(0).all()
    assert len(turned) == 10


def test_training_pictures_are_deformed_in_the_plane():
    part = sphere_parts(read_digits(None), (20, 5, 5))[0]
    pictures, chosen = SpherePictures(part, 8, True), torch.tensor([4, 2])
    plain, shaken = (
        Batches(flat, 20, None, flat.change)
        for flat in (FlatPictures(pictures, 0.0), FlatPictures(pictures, 0.1))
    )
    for a, b in zip(next(iter(plain)), pictures.batch(torch.arange(20)), strict=True):
        torch.testing.assert_close(a, b, atol=0, rtol=0)
    assert next(iter(shaken)).y.tolist() == part.digits.label.tolist()
    flat = FlatPictures(pictures, 0.1)
    found = flat.change(flat.batch(chosen), torch.Generator().manual_seed(0)).samples
    maps = deformations(2, 0.1, torch.Generator().manual_seed(0))
    wanted = pictures.projected(warp(part.digits.images[chosen], maps), chosen).samples
    torch.testing.assert_close(found, wanted, atol=0, rtol=0)
