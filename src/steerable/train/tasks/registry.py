"""All tasks by name."""

from __future__ import annotations

from typing import Any

from ..task import Task
from . import digits, nbody, property, qm9, shapes, sphere

TASKS: dict[str, Task] = {
    module.TASK.name: module.TASK for module in (qm9, shapes, digits, sphere, nbody, property)
}


def task_of(metadata: dict[str, Any]) -> Task:
    """The task of a trained network.

    Raises:
        ValueError: this version has no such task.
    """
    name = metadata["task"].partition("/")[0]
    if name not in TASKS:
        raise ValueError(
            f"The network was trained for the task {name!r}, and this version has "
            f"{', '.join(TASKS)}. Use the versions it was made with ({metadata.get('versions')})."
        )
    return TASKS[name]
