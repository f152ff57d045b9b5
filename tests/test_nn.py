"""The names that users build networks from."""

import ast
import re

import pytest
from torch import nn

import steerable.nn
from documents import ROOT
from steerable import convs, filters, layers

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def imported(page):
    """The names that the Python blocks of a page import from steerable.nn."""
    names = set()
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "steerable.nn":
                names |= {alias.name for alias in node.names}
    return names


def test_the_documents_import_names_that_are_offered():
    names = set().union(*map(imported, PAGES))
    assert len(names) > 20 and names <= set(steerable.nn.__all__)


@pytest.mark.parametrize("name", steerable.nn.__all__)
def test_every_name_is_that_of_its_home(name):
    """Those of PyTorch Geometric too, which are imported on first use."""
    value = getattr(steerable.nn, name)
    homes = [room for room in (convs, filters, layers) if name in room.__all__]
    assert len(homes) == 1 and getattr(homes[0], name) is value
    assert value.__name__ == name and value.__doc__


def test_all_convolutions_are_offered():
    assert set(convs.__all__) <= set(steerable.nn.__all__)
    parts = [getattr(steerable.nn, name) for name in convs.__all__]
    assert sum(isinstance(part, type) and issubclass(part, nn.Module) for part in parts) > 15
