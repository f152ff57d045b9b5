"""What the arguments of the operations of a neighbour sum describe, checked.

Programs may be given any arguments, and loops in C read plain memory. The checks are of shapes,
dtypes, devices and the range of places: of numbers only those that are indices are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from torch import Tensor, long

from ...layers import Constants, PathLayout, Recipe
from ...ops import Neighbourhoods, check_edge_index, neighbourhoods
from .cost import ENGINES
from .engines import Shapes
from .neighbour_sum import NeighbourSum


class Described(NamedTuple):
    """What the arguments of an operation describe."""

    kernel: NeighbourSum
    hood: Neighbourhoods
    counts: tuple[int, int]

    @staticmethod
    def of(
        tensors: Sequence[Tensor],
        counts: Sequence[int],
        constants: Sequence[Tensor],
        edge_index: Tensor,
        size: int,
        engine: str,
        text: str,
    ) -> Described:
        """Check the arguments.

        Raises:
            ValueError: arguments that do not fit each other.
        """
        wanted = _wanted(engine, text)
        recipe, shapes = wanted.recipe, wanted.shapes
        number = len(shapes.edge)
        sources = tensors[number].shape[0] if len(tensors) > number else 0
        edges = [(edge_index.shape[-1], *shape) for shape in shapes.edge]
        features = [(sources, *shape) for shape in shapes.source]
        check_shapes("tensors", tensors, [*edges, *features, *shapes.weights])
        if tuple(counts) != (number, len(features)):
            raise ValueError(
                f"counts are the numbers of tensors of edges and sources, {number} and "
                f"{len(features)}; got {counts}."
            )
        if not tensors[0].is_floating_point():
            raise ValueError(
                "steerable::neighbour_sum takes tensors of a floating-point dtype; got "
                f"{tensors[0].dtype}."
            )
        check_alike("tensors", tensors, tensors[0])
        if edge_index.device != tensors[0].device:
            raise ValueError(
                f"edge_index is on the device of tensors, {tensors[0].device}; got "
                f"{edge_index.device}."
            )
        check_edge_index(edge_index, sources, size)
        kernel = NeighbourSum(ENGINES[engine], recipe, _constants(constants, wanted, tensors[0]))
        return Described(kernel, neighbourhoods(edge_index, size), (number, len(features)))


def check_derivative(
    described: Described,
    tensors: Sequence[Tensor],
    needs: Sequence[bool],
    grad: Tensor,
    second: Sequence[Tensor | None] | None = None,
) -> None:
    """Raise ValueError unless gradients fit the sum, and those of its gradients these."""
    check_shapes("a gradient", [grad], [(described.hood.size, described.kernel.width)])
    check_alike("a gradient", [grad], tensors[0])
    if len(needs) != len(tensors):
        raise ValueError(
            f"needs tells for each of {len(tensors)} tensors whether its gradient is needed; got "
            f"{len(needs)}."
        )
    if second is None:
        return
    needed = [t for t, need in zip(tensors, needs, strict=True) if need]
    if len(second) != len(needed):
        raise ValueError(
            f"second are gradients of the {len(needed)} gradients that are needed; got "
            f"{len(second)}."
        )
    pairs = [(s, t) for s, t in zip(second, needed, strict=True) if s is not None]
    changes = [s for s, _ in pairs]
    check_shapes("second gradients", changes, [tuple(t.shape) for _, t in pairs])
    check_alike("second gradients", changes, tensors[0])


def check_shapes(name: str, tensors: Sequence[Tensor], shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise ValueError unless tensors have these shapes."""
    came = [tuple(tensor.shape) for tensor in tensors]
    if came != list(shapes):
        raise ValueError(
            f"steerable::neighbour_sum takes {name} of the shapes {list(shapes)} with this recipe "
            f"and engine; got {came}."
        )


def check_alike(name: str, tensors: Sequence[Tensor], first: Tensor) -> None:
    """Raise ValueError unless tensors have the dtype of the first one and are on its device."""
    dtype, device = first.dtype, first.device
    for tensor in tensors:
        if tensor.dtype != dtype or tensor.device != device:
            raise ValueError(
                f"steerable::neighbour_sum takes {name} of one dtype on one device, {dtype} on "
                f"{device} as the first of tensors; got {tensor.dtype} on {tensor.device}."
            )


class _Wanted(NamedTuple):
    """What the texts of engine and recipe ask of the other arguments.

    Args:
        recipe: the contraction.
        shapes: of a row of the tensors of edges and sources, and of weights.
        constants: the shapes of the tensors of paths, and of those that are coupled by terms.
        components: the first component of the filter that a path takes, and the one after the last.
        products: the number of products (path, m_i, m_o).
    """

    recipe: Recipe
    shapes: Shapes
    constants: list[tuple[int, ...]]
    components: tuple[int, int]
    products: int


@lru_cache(1024)
def _wanted(engine: str, text: str) -> _Wanted:
    if engine not in ENGINES:
        raise ValueError(f"engine is one of {', '.join(ENGINES)}; got {engine!r}.")
    try:
        recipe = Recipe.from_text(text)
        _check_layout(recipe.layout)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(
            f"recipe is the text of a contraction, `Recipe.text`; got {text!r}."
        ) from error
    layout = recipe.layout
    shapes: list[tuple[int, ...]] = [(s.m_h, s.m_i, s.m_o) for s in layout.sizes]
    columns = [0] * len(layout.inputs)
    for path, size in zip(layout.paths, layout.sizes, strict=True):
        columns[path.term] += size.m_i * size.m_o
    shapes += [(layout.filter_dim, number) for number in columns]
    starts = [path.at.start for path in layout.paths]
    stops = [path.at.stop for path in layout.paths]
    components = min(starts, default=0), max(stops, default=0)
    return _Wanted(recipe, ENGINES[engine].shapes(recipe), shapes, components, sum(columns))


def _check_layout(layout: PathLayout) -> None:
    """Raise ValueError unless paths and terms name inputs, outputs and components that exist."""
    paths_fit = all(
        0 <= path.term < len(layout.inputs)
        and 0 <= path.out < len(layout.outputs)
        and 0 <= path.at.start < path.at.stop <= layout.filter_dim
        and path.copies == layout.inputs[path.term].copies
        for path in layout.paths
    )
    # The terms of an irrep hold its copies one after the other.
    ends = [0] * len(layout.outputs)
    terms_fit = True
    for irrep, first, copies, dim in layout.terms_out:
        if irrep is not None:
            fits = irrep >= 0 and first == ends[irrep] and dim == layout.outputs[irrep].dim
            terms_fit = terms_fit and fits
            ends[irrep] += copies
    if not paths_fit or not terms_fit or ends != [irrep.copies for irrep in layout.outputs]:
        raise ValueError("paths or terms that do not fit the irreps of input and output.")


def _constants(constants: Sequence[Tensor], wanted: _Wanted, first: Tensor) -> Constants:
    """The constants of paths, of the dtype and on the device of the first tensor."""
    layout = wanted.recipe.layout
    paths = len(layout.paths)
    if len(constants) != len(wanted.constants) + 2:
        raise ValueError(
            f"constants are {paths} tensors of paths, {len(layout.inputs)} of terms, places "
            f"and values; got {len(constants)} tensors."
        )
    *matrices, place, value = constants
    check_shapes("constants", matrices, wanted.constants)
    check_alike("constants", [*matrices, value], first)
    if place.dtype != long or place.device != first.device:
        raise ValueError(
            f"places are a torch.long tensor on {first.device}; got {place.dtype} on "
            f"{place.device}."
        )
    if value.dim() != 1 or place.shape != (len(value), 2):
        raise ValueError(
            "values (number,) have a place each, (number, 2); got values "
            f"{tuple(value.shape)} and places {tuple(place.shape)}."
        )
    _check_range(place, wanted)
    return Constants(matrices[:paths], matrices[paths:], place.contiguous(), value)


def _check_range(place: Tensor, wanted: _Wanted) -> None:
    # Only loops look at places, on a CPU; a GPU would have to be waited for.
    if place.device.type != "cpu" or not place.numel():
        return
    low, high = place.aminmax(dim=0)
    (component, product), (last_component, last_product) = low.tolist(), high.tolist()
    first, end = wanted.components
    if (
        first <= component <= last_component < end
        and 0 <= product <= last_product < wanted.products
    ):
        return
    raise ValueError(
        f"places are components of the filter from {first} to {end - 1} and products from 0 to "
        f"{wanted.products - 1}; got {component} to {last_component} and {product} to "
        f"{last_product}."
    )
