"""A scale that is measured on data gives one function, whatever is copied, saved or shared."""

import copy
import io
import pickle

import pytest
import torch
from safetensors.torch import load, save
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from oracles.measured import Sum, batches, unequal
from oracles.processes import in_two_processes
from steerable.layers import has_outliers, robust_mean_square
from steerable.nn import DerivativeFilter, measure


def copies(layer):
    """The ways in which a layer becomes another one."""
    loaded, tensors = Sum(), Sum()
    loaded.load_state_dict(torch.load(_file(layer.state_dict()), weights_only=True))
    tensors.load_state_dict(load(save(layer.state_dict())))
    return [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded, tensors]


def _file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return file


def test_the_first_batch_is_measured_and_kept():
    first, second = batches()
    layer = unequal()
    y = layer(first).detach()
    assert abs(float(y.square().mean() / first.square().mean()) - 1) < 1e-6
    number = layer.neighbours.clone()
    layer(second)
    assert layer.neighbours.equal(number) and 1 < number < 9
    assert set(layer.state_dict()) == {"weight", "neighbours"}


def test_copies_of_a_measured_layer_are_the_same_function():
    first, second = batches()
    layer = unequal()
    layer(first)
    for twin in copies(layer):
        assert twin(second).equal(layer(second))


def test_copies_of_an_unmeasured_layer_measure_the_same():
    (first,) = batches(1)
    layer = unequal()
    for twin in copies(layer):
        assert twin.neighbours.isnan()
        assert twin(first).equal(copy.deepcopy(layer)(first))


def test_a_state_from_before_the_first_batch_begins_again():
    first, second = batches()
    layer = unequal()
    start = copy.deepcopy(layer.state_dict())
    layer(first)
    layer.load_state_dict(start)
    fresh = unequal()
    assert layer(second).equal(fresh(second)) and layer.neighbours.equal(fresh.neighbours)


@pytest.mark.parametrize("options", [{}, {"use_buffers": True}, {"ema": True}])
def test_averages_made_before_the_first_batch_are_the_same_function(options):
    first, second = batches()
    layer = unequal()
    if options.pop("ema", False):
        options = {"multi_avg_fn": get_ema_multi_avg_fn(0.9), "use_buffers": True}
    average = AveragedModel(layer, **options)
    for _ in range(3):
        layer(first)
        average.update_parameters(layer)
    torch.testing.assert_close(average(second), layer(second))


@pytest.mark.parametrize("bad", [0.0, torch.nan, torch.inf])
def test_bad_batches_are_ignored(bad):
    (good,) = batches(1)
    layer, fresh = unequal(), unequal()
    layer(bad * good)
    layer(good[:0])
    assert layer.neighbours.isnan()
    layer(good), fresh(good)
    assert layer.neighbours.equal(fresh.neighbours)


def test_units_far_from_one_do_not_matter():
    (x,) = batches(1)
    layer, twin = unequal(), unequal()
    layer(x), twin(1e-23 * x)
    torch.testing.assert_close(layer.neighbours, twin.neighbours)


def test_rounding_noise_is_not_blown_up():
    layer = Sum()
    layer.measure(torch.tensor(1e-14, dtype=torch.float64), 1.0)
    assert layer.neighbours.isnan() and layer.scale_factor() == 1
    layer.measure(torch.tensor(1e-3, dtype=torch.float64), 1.0)
    assert layer.neighbours == torch.tensor(1e-3)


def test_single_outliers_hardly_count():
    x = torch.randn(1000, 3)
    power = robust_mean_square(x)
    torch.testing.assert_close(power, x.double().square().mean())
    x[7] = 1e10
    assert power < robust_mean_square(x) < 2 * power
    assert robust_mean_square(x[:0]).isnan() and robust_mean_square(x * torch.nan).isnan()
    assert robust_mean_square(torch.where(x > 1e9, torch.inf, x)).isnan()
    rows = torch.arange(1000) % 2 == 0
    torch.testing.assert_close(robust_mean_square(x, rows), x[rows].double().square().mean())
    assert robust_mean_square(x, rows & False).isnan()


@pytest.mark.parametrize("rows", [7, 20, 1000])
@pytest.mark.parametrize("outliers", [1, 2, 3])
def test_few_rows_that_outweigh_all_others_are_outliers(rows, outliers):
    x = torch.randn(rows, 3)
    for factor in (1e3, 1e8, 1e18):
        y = x.clone()
        y[torch.randperm(rows)[:outliers]] *= factor
        assert has_outliers(y) and has_outliers(1e-30 * y)
    assert not has_outliers(y.index_fill(0, torch.tensor([1]), torch.nan))


def test_ordinary_rows_are_no_outliers():
    x = torch.randn(20, 3)
    wide = torch.randn(1000, 1).pow(5)
    bump = torch.exp(-50 * torch.linspace(-1, 1, 200).square()).unsqueeze(1)
    impulse = torch.zeros(20, 3).index_fill(0, torch.tensor([4]), 1)
    pair = torch.tensor([[1.0], [1e-4]])
    assert not any(map(has_outliers, (x, x[:0], x[:1], 0 * x, wide, bump, impulse, pair)))
    # So many rows are what the data are like.
    assert not has_outliers(torch.cat([1e5 * x[:4], x]))


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_given_number_is_positive(value):
    with pytest.raises(ValueError, match=r"Sum: neighbours is a positive, finite number; got"):
        Sum(value)


def test_a_given_number_is_kept_out_of_the_state():
    layer = Sum(4.0)
    assert set(layer.state_dict()) == {"weight"}
    measure(layer, batches())
    assert layer.neighbours == 4


def test_measuring_compiles_and_waits_for_a_good_batch():
    torch._dynamo.reset()
    first, second = batches()
    layer, twin = unequal(), unequal()
    compiled = torch.compile(layer, fullgraph=True, dynamic=True, backend="aot_eager")
    compiled(0 * first)
    assert layer.neighbours.isnan()
    torch.testing.assert_close(compiled(first), twin(first))
    torch.testing.assert_close(compiled(second), twin(second))
    start = unequal().state_dict()
    layer.load_state_dict(start), twin.load_state_dict(start)
    torch.testing.assert_close(compiled(second), twin(second))


@pytest.mark.parametrize("strict", [True, False])
def test_export_needs_a_measured_layer(strict):
    first, second = batches()
    layer = unequal()
    with pytest.raises(Exception, match=r"Run one batch first, call .*\(neighbours=\.\.\.\)"):
        torch.export.export(layer, (first,), strict=strict)
    layer(first)
    loaded = unequal()
    loaded.load_state_dict(layer.state_dict())
    for module in (layer, loaded, Sum(2.0)):
        program = torch.export.export(module, (first,), strict=strict).module()
        torch.testing.assert_close(program(second), module(second))


def test_transforms_of_torch_func():
    (x,) = batches(1)
    layers = [unequal() for _ in range(3)]
    for layer in layers:
        layer(x)
    state = torch.func.stack_module_state(layers)
    y = torch.func.vmap(lambda p, b: torch.func.functional_call(layers[0], (p, b), (x,)))(*state)
    torch.testing.assert_close(y, torch.stack([layer(x) for layer in layers]))


def test_parts_that_are_zero_are_measured_later():
    """Derivatives across a line of points."""
    flat = torch.randn(40, 10)
    flat[:, 2] = 0
    filter = DerivativeFilter(1)
    assert filter.scale.isnan().all()
    filter.components(flat * (torch.arange(10) == 0))
    assert filter.scale.isnan().tolist() == [False, True]
    filter.components(5 * flat)
    torch.testing.assert_close(filter.scale[0], flat[:, 0].square().mean().rsqrt())
    assert not filter.scale.isnan().any()


def test_derivatives_in_metres():
    stencil = torch.randn(100, 10)
    for unit in (1e-10, 1e12):
        powers = unit ** -torch.tensor([0.0, 1, 1, 1, 2, 2, 2, 2, 2, 2])
        filter, scaled = DerivativeFilter(2), DerivativeFilter(2)
        torch.testing.assert_close(
            scaled.components(stencil * powers), filter.components(stencil), rtol=1e-4, atol=1e-4
        )


def first_batches(rank):
    """What a rank measures where the first batches of the ranks differ."""
    torch.manual_seed(0)
    layer = unequal()
    x = batches(3)[rank]
    layer.eval()(x)
    before = layer.neighbours.clone()  # in evaluation another rank may do something else
    layer.train()
    layer(x if rank else x[:0])
    second = layer.neighbours.clone()
    measure(layer, [x])
    return before, second, layer.neighbours.clone()


def test_ranks_agree():
    first, second = in_two_processes(first_batches)
    assert first[0].isnan() and second[0].isnan()
    torch.manual_seed(0)
    singles = []
    for x in batches(3)[:2]:
        layer = unequal()
        layer(x)
        singles.append(layer.neighbours)
    torch.testing.assert_close(first[1], singles[1])  # rank 0 had no rows
    assert first[1].equal(second[1]) and first[2].equal(second[2])
    torch.testing.assert_close(first[2], torch.stack(singles).mean())
