"""All tasks by name, and networks of tasks that are none."""

import pytest

from steerable.train import TASKS
from steerable.train.config import RunConfig
from steerable.train.tasks.registry import task_of


@pytest.mark.parametrize("name", TASKS)
def test_networks_know_their_task(name):
    for text in (name, f"{name}/preset", f"{name}/a/b"):
        assert task_of({"task": text}) is TASKS[name]
    assert TASKS[name].name == name and issubclass(TASKS[name].config, RunConfig)


@pytest.mark.parametrize("text", ["weather/2020", "", "/qm9", "QM9/U0"])
def test_a_task_of_another_version_is_named_with_its_versions(text):
    with pytest.raises(ValueError, match=r"this version has qm9, shapes, .*made with \({'torch'"):
        task_of({"task": text, "versions": {"torch": "1.0"}})
