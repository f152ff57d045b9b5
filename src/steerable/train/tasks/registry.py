"""All tasks by name."""

from __future__ import annotations

from typing import Any

from steerable.models import task_name

from ..task import Task
from . import digits, nbody, qm9, shapes, sphere

TASKS: dict[str, Task] = {
    task.name: task for task in (qm9.TASK, shapes.TASK, digits.TASK, sphere.TASK, nbody.TASK)
}


def task_of(metadata: dict[str, Any]) -> Task:
    """The task of a trained network.

    Raises:
        ValueError: this version has no such task.
    """
    return TASKS[task_name(metadata)]
