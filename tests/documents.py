"""The pages of the documentation: their Python blocks are run, one after the other."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run_blocks(page: Path) -> dict[str, object]:
    """Run the Python blocks of a page in one new namespace, which is returned."""
    namespace: dict[str, object] = {}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)):
        exec(compile(block, f"{page.name}, block {number}", "exec"), namespace)
    return namespace
