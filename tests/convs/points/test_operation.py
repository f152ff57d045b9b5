"""The operations of a compiled sum are functions of their arguments, which they check."""

import json

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from contracts.points import conv_of, graph
from steerable.convs.points import operation
from steerable.convs.points.arguments import Described
from steerable.convs.points.cost import ENGINES
from steerable.convs.points.graph import check_graph
from steerable.ops import Edges

NAMES = ("tensors", "counts", "constants", "edge_index", "size", "engine", "recipe")


def arguments_of(engine, kind=None):
    """The arguments of the first operation, by name."""
    conv = conv_of(kind or ("depthwise" if engine == "radial" else "full"), engine=engine)
    x, pos, index = graph(5)
    chosen, edges = ENGINES[engine], Edges.between(pos, index)
    inputs = conv._inputs(
        check_graph(conv.field_in, conv.filter, edges, x),
        chosen,
        chosen.prepare(conv.contraction, conv.contraction.before(x)),
    )
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.ops.steerable, "neighbour_sum", lambda *args: calls.append(args))
        operation.neighbour_sum(conv._kernel(chosen), inputs, index, 5)
    arguments = dict(zip(NAMES, calls[0], strict=True))
    arguments["tensors"] = [t.detach().clone() for t in arguments["tensors"]]
    return conv, x, edges, arguments


@pytest.mark.parametrize("engine", ENGINES)
def test_they_are_what_torch_asks_of_operations(engine):
    conv, x, edges, arguments = arguments_of(engine)
    ops = torch.ops.steerable
    y = ops.neighbour_sum(*arguments.values())
    torch.testing.assert_close(y * conv.scale_factor(), conv(x, edges).detach())
    needs = [True] * len(arguments["tensors"])
    for tensor in arguments["tensors"]:
        tensor.requires_grad_()
    torch.library.opcheck(ops.neighbour_sum.default, tuple(arguments.values()))
    grad = torch.randn_like(y, requires_grad=True)
    check(ops.neighbour_sum_backward, grad, needs, *arguments.values())
    second = [torch.randn_like(t) for t in arguments["tensors"]]
    arguments["tensors"] = [t.detach() for t in arguments["tensors"]]
    grad = grad.detach()
    check(ops.neighbour_sum_backward_twice, grad, second, needs, *arguments.values())


class Onlooker(TorchDispatchMode):
    """What a compiler runs operations under when it looks at their results for the first time."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("engine", ENGINES)
def test_derivatives_below_a_mode(engine):
    *_, arguments = arguments_of(engine)
    tensors, ops = arguments["tensors"], torch.ops.steerable
    grad, needs = torch.randn_like(ops.neighbour_sum(*arguments.values())), [True] * len(tensors)
    first = grad, needs, *arguments.values()
    second = grad, [torch.randn_like(t) for t in tensors], needs, *arguments.values()
    calls = (ops.neighbour_sum_backward, first), (ops.neighbour_sum_backward_twice, second)
    for derivative, inputs in calls:
        expected = derivative(*inputs)
        with Onlooker():
            torch.testing.assert_close(derivative(*inputs), expected)


def check(operation, *arguments):
    """What opcheck does: it cannot itself, where derivatives are taken by torch.func inside.

    The compiler runs both operations in the check of the first.
    """
    registered = "test_autograd_registration"
    torch.library.opcheck(operation.default, arguments, test_utils=registered)
    tensors = [part for part in pytree.tree_leaves(arguments) if isinstance(part, torch.Tensor)]
    before = [tensor.clone() for tensor in tensors]
    results = operation(*arguments)
    torch.testing.assert_close(tensors, before, rtol=0, atol=0)
    memory = {tensor.untyped_storage().data_ptr() for tensor in tensors}
    assert all(result.untyped_storage().data_ptr() not in memory for result in results)
    with FakeTensorMode() as mode:
        fakes = operation(*pytree.tree_map_only(torch.Tensor, mode.from_tensor, arguments))
    pairs = [[(t.shape, t.stride(), t.dtype) for t in part] for part in (fakes, results)]
    assert pairs[0] == pairs[1]


def _constants(change, *numbers):
    """Change some of the constants: places are -2, values -1, coupled tensors before them."""

    def changed(arguments):
        constants = list(arguments["constants"])
        for number in numbers:
            constants[number] = change(constants[number])
        return {"constants": constants}

    return changed


def _tensor(number, change):
    def changed(arguments):
        tensors = list(arguments["tensors"])
        tensors[number] = change(tensors[number])
        return {"tensors": tensors}

    return changed


CONSTANTS = {
    "places far above": (_constants(lambda p: p + 10**6, -2), "places are components"),
    "places far below": (_constants(lambda p: p - 10**5, -2), "places are components"),
    "the next places": (_constants(lambda p: p + 1, -2), "places are components"),
    "the places before": (_constants(lambda p: p - 1, -2), "places are components"),
    "narrow places": (_constants(lambda p: p.int(), -2), "places are a torch.long tensor"),
    "fewer places": (_constants(lambda p: p[:1], -2), "values .* have a place each"),
    "places of one column": (_constants(lambda p: p[:, :1], -2), "values .* have a place each"),
    "fewer values": (_constants(lambda v: v[:1], -1), "values .* have a place each"),
    "more values": (_constants(lambda v: v.repeat(3), -1), "values .* have a place each"),
    "a matrix of values": (_constants(lambda v: v.unsqueeze(1), -1), "values .* have a place each"),
    "narrow values": (_constants(lambda v: v.float(), -1), "takes constants of one dtype"),
    "fewer columns": (_constants(lambda c: c[..., :-1], -3), "takes constants of the shapes"),
    "fewer components": (_constants(lambda c: c[:-1], -3), "takes constants of the shapes"),
    "a narrow path": (_constants(lambda c: c.float(), 0), "takes constants of one dtype"),
    "narrow features": (_tensor(2, lambda x: x.float()), "takes tensors of one dtype"),
    "narrow values of edges": (_tensor(0, lambda h: h.float()), "takes tensors of one dtype"),
    "whole features": (_tensor(2, lambda x: x.long()), "takes tensors of one dtype"),
    "whole numbers": (
        lambda a: {"tensors": [t.long() for t in a["tensors"]]},
        "takes tensors of a floating-point dtype",
    ),
}

CHANGES = {
    **CONSTANTS,
    "fewer tensors": (lambda a: {"tensors": a["tensors"][:-1]}, "takes tensors of the shapes"),
    "other rows": (
        lambda a: {"tensors": [a["tensors"][0][1:], *a["tensors"][1:]]},
        "takes tensors of the shapes",
    ),
    "edges left out": (lambda a: {"edge_index": a["edge_index"][:, 1:]}, "takes tensors of"),
    "counts": (lambda a: {"counts": [1, 1]}, "counts are the numbers of tensors"),
    "constants": (lambda a: {"constants": a["constants"][:-1]}, "constants are"),
    "constants of other paths": (
        lambda a: {"constants": a["constants"][1:]},
        "takes constants of the shapes|constants are",
    ),
    "size": (lambda a: {"size": 2}, "edge_index holds target node numbers from 0 to 1"),
    "index": (lambda a: {"edge_index": a["edge_index"] + 1}, "edge_index holds source node"),
    "dtype of the index": (lambda a: {"edge_index": a["edge_index"].int()}, "torch.long tensor"),
    "engine": (lambda a: {"engine": "fast"}, "engine is one of aggregate"),
    "no recipe": (lambda a: {"recipe": "of a cake"}, "recipe is the text of a contraction"),
    "half a recipe": (lambda a: {"recipe": "[1, 2]"}, "recipe is the text of a contraction"),
    "recipe of another layer": (
        lambda a: {"recipe": conv_of("rank").contraction.recipe.text},
        "takes tensors of the shapes",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_arguments_that_do_not_fit_are_refused(name):
    *_, arguments = arguments_of("radial")
    change, text = CHANGES[name]
    changed = {**arguments, **change(arguments)}
    with pytest.raises(ValueError, match=text):
        torch.ops.steerable.neighbour_sum(*changed.values())
    grad = torch.zeros(arguments["size"], 8, dtype=torch.float64)
    needs = [True] * len(changed["tensors"])
    with pytest.raises(ValueError, match=text):
        torch.ops.steerable.neighbour_sum_backward(grad, needs, *changed.values())
    with pytest.raises(ValueError, match=text):
        torch.ops.steerable.neighbour_sum_backward_twice(
            grad, changed["tensors"], needs, *changed.values()
        )


def test_places_in_any_memory():
    """Loops read them as they lie."""
    *_, arguments = arguments_of("radial")
    expected = torch.ops.steerable.neighbour_sum(*arguments.values())
    for number in (-2, -1):
        constants = arguments["constants"]
        part = constants[number].repeat_interleave(2, 0)[::2]
        constants[number] = part if part.dim() == 1 else part.T.contiguous().T
    assert torch.ops.steerable.neighbour_sum(*arguments.values()).equal(expected)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_constants(lambda c: c.to("meta"), 0), "takes constants .* got .* on meta"),
        (_constants(lambda p: p.to("meta"), -2), "places are .* got .* on meta"),
        (_tensor(1, lambda h: h.to("meta")), "takes tensors .* got .* on meta"),
        (lambda a: {"edge_index": a["edge_index"].to("meta")}, "edge_index is on the device of"),
    ],
)
def test_tensors_of_another_device_are_refused(change, text):
    """By what checks arguments: torch gives those on `meta` to the operation of shapes."""
    *_, arguments = arguments_of("radial")
    with pytest.raises(ValueError, match=text):
        Described.of(*{**arguments, **change(arguments)}.values())


def _layout(change):
    """A recipe whose layout is another one."""

    def changed(arguments):
        kind, channels, groups, layout = json.loads(arguments["recipe"])
        parts = json.loads(layout)
        change(*parts[:4])
        return {"recipe": json.dumps([kind, channels, groups, json.dumps(parts)])}

    return changed


LAYOUTS = {
    "term": lambda inputs, outputs, terms, paths: paths[0].__setitem__(0, -1),
    "components": lambda inputs, outputs, terms, paths: paths[-1].__setitem__(
        slice(1, 3), [90, 91]
    ),
    "output": lambda inputs, outputs, terms, paths: paths[0].__setitem__(3, -1),
    "copies": lambda inputs, outputs, terms, paths: paths[0].__setitem__(4, 7),
    "copies of a term": lambda inputs, outputs, terms, paths: terms[0].__setitem__(2, 7),
    "first of a term": lambda inputs, outputs, terms, paths: terms[0].__setitem__(1, 1),
    "irrep of a term": lambda inputs, outputs, terms, paths: terms[0].__setitem__(0, 40),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_recipes_whose_parts_do_not_fit_are_refused(name):
    *_, arguments = arguments_of("radial")
    changed = {**arguments, **_layout(LAYOUTS[name])(arguments)}
    with pytest.raises(ValueError, match="recipe is the text of a contraction"):
        torch.ops.steerable.neighbour_sum(*changed.values())


def test_an_order_for_another_contraction_is_refused():
    *_, arguments = arguments_of("messages")
    with pytest.raises(ValueError, match="radial is that of depthwise contractions; got full"):
        torch.ops.steerable.neighbour_sum(*{**arguments, "engine": "radial"}.values())


def test_gradients_of_another_shape_are_refused():
    *_, arguments = arguments_of("radial")
    with pytest.raises(ValueError, match="takes a gradient of the shapes"):
        torch.ops.steerable.neighbour_sum_backward(
            torch.zeros(5, 7, dtype=torch.float64),
            [True] * len(arguments["tensors"]),
            *arguments.values(),
        )


DERIVATIVES = {
    "narrow gradient": (lambda g, n, s: (g.float(), n, s), "takes a gradient of one dtype"),
    "fewer needs": (lambda g, n, s: (g, n[:-1], s), "needs tells for each of"),
    "fewer": (lambda g, n, s: (g, n, s[:-1]), "second are gradients of the"),
    "other rows": (lambda g, n, s: (g, n, [s[0][1:], *s[1:]]), "takes second gradients of the sh"),
    "narrow": (lambda g, n, s: (g, n, [s[0].float(), *s[1:]]), "takes second gradients of one"),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_second_gradients_that_do_not_fit_are_refused(name):
    *_, arguments = arguments_of("radial")
    change, text = DERIVATIVES[name]
    tensors = arguments["tensors"]
    grad, needs, second = change(
        torch.zeros(arguments["size"], 8, dtype=torch.float64),
        [True] * len(tensors),
        [torch.zeros_like(t) for t in tensors],
    )
    with pytest.raises(ValueError, match=text):
        torch.ops.steerable.neighbour_sum_backward_twice(grad, second, needs, *arguments.values())
