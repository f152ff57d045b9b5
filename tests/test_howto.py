"""The how-to pages run and are short, and what the pages of the documentation name is there."""

import re
from unittest.mock import patch

import pytest

from documents import ROOT, run_blocks
from steerable.train import TASKS

HOWTO = sorted((ROOT / "docs" / "howto").glob("*.md"))
RUN = [*HOWTO, ROOT / "docs" / "compiling.md"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOMES = [ROOT, ROOT / "src" / "steerable"]

LINES_A_PAGE = 80
FILE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|c|md|yaml|xyz)|(?:[\w-]+/)+)`")


def page_name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.filterwarnings("ignore::FutureWarning")  # PyTorch's own, when it exports to ONNX
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:torch")
@pytest.mark.parametrize("page", RUN, ids=page_name)
def test_every_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where a page trains a network, the run folder lies here
    with patch.dict(TASKS):
        assert run_blocks(page)


@pytest.mark.parametrize("page", HOWTO, ids=page_name)
def test_a_page_is_short(page):
    lines = [line for line in page.read_text().splitlines() if line]  # code may breathe
    assert len(lines) <= LINES_A_PAGE


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(name):
    files = FILE.findall((ROOT / name).read_text())
    assert files
    assert [file for file in files if not any((home / file).exists() for home in HOMES)] == []
