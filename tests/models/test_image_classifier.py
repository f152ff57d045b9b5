"""The network for pictures.

What turning and mirroring a picture leaves alone, whatever its convolutions are.
"""

import pytest
import torch

from steerable.convs import GridNeuralPDO, GridPDO
from steerable.groups import GroupError
from steerable.models import ImageClassifier
from steerable.models.image_classifier import KERNELS

SMALL = {"widths": (4, 6, 4), "stops": (1,), "size": 5, "order": 4, "hidden": 8, "dropout": 0.0}


def pictures(count=3, size=17):
    return torch.rand(
        count, size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def network(**options):
    torch.manual_seed(0)
    model = ImageClassifier(5, **SMALL | options).double()
    model(pictures(8))  # the running means of the norms are no longer those of the start
    return model.eval()


def turns_and_mirrors(x, mirrors):
    turned = [torch.rot90(x, k, (1, 2)) for k in range(4)]
    return turned + [y.flip(1) for y in turned] if mirrors else turned


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("group", ["C4", "D4", "C8"])
def test_grid_symmetries_change_nothing(kernel, group):
    model, x = network(kernel=kernel, group=group), pictures()
    wanted = model(x)
    assert wanted.std() > 1e-3
    for moved in turns_and_mirrors(x, group == "D4"):
        torch.testing.assert_close(model(moved), wanted, atol=1e-12, rtol=0)
    if group != "D4":
        assert (model(x.flip(1)) - wanted).abs().max() > 1e-6


@pytest.mark.parametrize("kernel", ["kernel", "pdo"])
def test_infinite_groups(kernel):
    model, x = network(kernel=kernel, group="O(2)"), pictures()
    wanted = model(x)
    for moved in turns_and_mirrors(x, True):
        torch.testing.assert_close(
            model(moved), wanted, atol=1e-2 * float(wanted.detach().abs().max()), rtol=0
        )
    with pytest.raises(GroupError):
        ImageClassifier(5, **SMALL | {"kernel": "neural", "group": "SO(2)"})


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_batch_is_each_picture_alone_and_weights_are_all_the_state(kernel):
    model, x = network(kernel=kernel, group="C4"), pictures()
    torch.testing.assert_close(
        torch.cat([model(one[None]) for one in x]), model(x), atol=1e-12, rtol=0
    )
    other = ImageClassifier(5, **SMALL | {"kernel": kernel, "group": "C4"}).double()
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other.eval()(x), model(x), atol=1e-13, rtol=0)
    single = network(kernel=kernel, group="C4").float()(x.float())
    torch.testing.assert_close(single.double(), model(x), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("stops", "generated"), [((), [1, 2, 3]), ((0,), [1, 2, 3]), ((2,), [2, 3]), ((2, 9), [2, 3])]
)
def test_coefficients_are_generated_from_the_last_stop_on(stops, generated):
    model = ImageClassifier(
        5, **SMALL | {"kernel": "neural", "widths": (2, 4, 6, 4), "stops": stops, "group": "C4"}
    )
    kinds = (GridPDO, GridNeuralPDO)
    convolutions = [layer for layer in model.layers if isinstance(layer, kinds)]
    assert [
        n for n, layer in enumerate(convolutions) if isinstance(layer, GridNeuralPDO)
    ] == generated
    assert all(convolutions[n].products.channels == 2 for n in generated)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "wavelet"}, "kernel is one of kernel, pdo, neural; got 'wavelet'."),
        ({"widths": ()}, "got none."),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ImageClassifier(5, **SMALL | options)
