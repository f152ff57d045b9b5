"""Weights of contractions as functions of tensors, against sums over copies and channels."""

import pytest
import torch

from steerable import Field
from steerable.groups import O3
from steerable.layers import Depthwise, Full, Outer, Recipe, Weights, constants_of

FILTER, IN, OUT = Field.parse("1x0e+1x1o"), Field.parse("4x0e+2x1o"), Field.parse("2x1o+4x0e")


def contraction(kind):
    if kind == "outer":
        products = Field.parse("12x0e+6x1o")
        return Outer(Field(O3(), ((1, O3().irreps(0)[0]),)), 3, IN, products).double()
    make = Depthwise if kind == "depthwise" else Full
    options = {"groups": 2} if kind == "groups" else {}
    return make(FILTER, 3, IN, OUT, **options).double()


KINDS = ["full", "groups", "depthwise", "outer"]


@pytest.mark.parametrize("kind", KINDS)
def test_weighing_is_the_sum_over_copies_and_channels(kind):
    weights = contraction(kind).bind()
    for k, (path, sizes) in enumerate(zip(weights, weights.layout.sizes, strict=True)):
        moment = torch.randn(5, sizes.m_o, path.copies, 3, dtype=torch.float64)
        weight = weights.weight(k)
        assert weight.shape == (path.copies, 3, sizes.copies_out)
        expected = torch.einsum("nmck,cko->nmo", moment, weight)
        torch.testing.assert_close(weights.weigh(k, moment), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_matrix_of_an_output_has_the_weights_of_its_paths(kind):
    weights = contraction(kind).bind()
    for o in range(len(weights.layout.outputs)):
        start, matrix = 0, weights.matrix(o)
        for k, path in enumerate(weights):
            if path.out == o:
                rows = matrix[start : start + path.copies * 3]
                torch.testing.assert_close(rows, weights.weight(k).flatten(0, 1))
                start += path.copies * 3
        assert start == len(matrix)


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_and_tensors_are_enough(kind):
    """As in a program that has no module at hand."""
    module = contraction(kind)
    recipe = Recipe.from_text(module.recipe.text)
    tensors = module.own_parameters()
    assert recipe.weight_shapes() == [tuple(tensor.shape) for tensor in tensors]
    rebuilt = recipe.bind([2 * tensor for tensor in tensors], constants_of(module.paths))
    factor = {"depthwise": 4, "outer": 1}.get(kind, 2)  # a depthwise weight is a product of two
    for k in range(len(recipe.layout.paths)):
        torch.testing.assert_close(rebuilt.weight(k), factor * module.weight(k))
        assert rebuilt.tensor(k).equal(module.paths.tensor(k))
    assert rebuilt.coupled(1).equal(module.paths.coupled(1))


def test_a_contraction_without_weights_is_named():
    module = contraction("full")
    weights = Weights(module.recipe, [], constants_of(module.paths))
    with pytest.raises(TypeError, match=r"Weights has no weights of its own\."):
        weights.weight(0)
    with pytest.raises(TypeError, match="no weights of its own"):
        weights.weigh(0, torch.zeros(1))
