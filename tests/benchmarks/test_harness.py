"""The contract of the benchmarks: what a row holds is what happened."""

import json
import math
import time
from functools import partial
from pathlib import Path

import harness
import pytest
import torch
from harness import Case, Job, differentiable, interleaved, measure, parser, peak_megabytes, write


@pytest.fixture(autouse=True)
def no_longer_than_needed(monkeypatch):
    monkeypatch.setattr(harness, "_SECONDS", 0.0)


def sleeper(seconds):
    return Job({"nap": partial(time.sleep, seconds)}, error=lambda: 0.0)


def hungry(megabytes):
    return Job({"meal": lambda: torch.ones(megabytes * 250_000).sum()}, error=lambda: 0.0)


def keeper(megabytes):
    """Keeps what it makes: the second pass needs it and a new one."""
    kept = []
    return Job({"meal": lambda: kept.append(torch.ones(megabytes * 250_000))}, error=lambda: 0.0)


def absent():
    raise ModuleNotFoundError("No module named 'a_peer'")


def options(*texts):
    return parser("Sleep.\n\nMore.").parse_args(["--threads", "1", *map(str, texts)])


def test_rows_are_what_happened(tmp_path, capsys):
    file = tmp_path / "rows.json"
    case = Case(
        "sleep",
        {"ours": partial(sleeper, 0.01), "peer": partial(sleeper, 0.04), "absent": absent},
        rounds=3,
    )
    chosen = options("--quick", "--json", file)
    rows = measure([case], chosen)
    write(rows, chosen)
    printed = capsys.readouterr().out
    assert "skipped: No module named 'a_peer'" in printed and "sleep, nap" in printed
    ours, peer = json.loads(file.read_text())["rows"]
    assert set(ours) == {"case", "name", "median_ms", "peak_mb", "error", "ratio"}
    assert (ours["case"], ours["name"], peer["name"]) == ("sleep, nap", "ours", "peer")
    assert ours["ratio"] == 1 and 2 < peer["ratio"] < 4.5
    assert ours["median_ms"] >= 10 and peer["median_ms"] >= 40
    assert list(tmp_path.iterdir()) == [file]


def test_the_machine_is_told(tmp_path):
    file = tmp_path / "rows.json"
    write([], options("--json", file))
    machine = json.loads(file.read_text())["machine"]
    assert machine["threads"] == 1 and machine["versions"]["torch"] == torch.__version__


def test_cases_are_chosen_by_name(capsys):
    cases = [Case(name, {"ours": partial(sleeper, 0.0)}) for name in ("short nap", "long nap")]
    assert [row.case for row in measure(cases, options("--quick", "--match", "long"))] == [
        "long nap, nap"
    ]


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="this system does not tell the peak"
)
@pytest.mark.parametrize("rival", [hungry, keeper])
def test_memory_is_the_peak_of_one_pass(rival):
    assert peak_megabytes(partial(rival, 100), "meal", 1) == pytest.approx(100, abs=3)


def test_rounds_are_interleaved_and_shuffled():
    order = []
    times = interleaved({name: partial(order.append, name) for name in "abcd"}, rounds=6)
    rounds = [order[k : k + 4] for k in range(0, len(order), 4)]
    assert len(rounds) == 7 and all(sorted(one) == list("abcd") for one in rounds)
    assert len({tuple(one) for one in rounds}) > 3
    assert all(len(values) == 6 for values in times.values())


def test_passes_and_error_of_a_function():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    seen = []

    def forward():
        seen.append(torch.is_grad_enabled())
        return (x * math.pi).clone()

    job = differentiable(forward, [x], lambda: x.double() * math.pi)
    assert 0 < job.error() < 2e-7
    seen.clear()
    x.register_hook(lambda gradient: seen.append(gradient.clone()))
    job.passes["forward"]()
    job.passes["forward + backward"]()
    assert seen[:2] == [False, True] and seen[2].shape == (2,) and seen[2].abs().sum() > 0
    assert x.grad is None
