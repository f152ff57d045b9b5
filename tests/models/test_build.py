"""Every task has a network, and a run of another task is refused."""

import pytest

from steerable.models.build import BUILDERS, builder, task_name
from steerable.train import TASKS


def test_every_task_has_its_network():
    assert list(BUILDERS) == list(TASKS)
    for name, task in TASKS.items():
        assert task.build is BUILDERS[name] is builder({"task": f"{name}/preset"})


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="for the task 'chess', and this version has qm9, shapes"):
        task_name({"task": "chess/blitz", "versions": {}})
