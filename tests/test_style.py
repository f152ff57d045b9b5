"""The density of the code, read from the source with `ast`: one thought per line, named by nouns.

A room whose files are in order is added to `CLEAN`, and stays in order from then on.
"""

import ast
from pathlib import Path

import pytest

import steerable

PACKAGE = Path(steerable.__path__[0])

CLEAN = (
    "arguments",
    "certify",
    "cli",
    "cli_data",
    "cli_predict",
    "compiling",
    "constants",
    "convs",
    "data",
    "deploy",
    "field",
    "filters",
    "functions",
    "groups",
    "layers",
    "lazy",
    "models",
    "nn",
    "operators",
    "ops",
    "report",
    "settings",
    "tracing",
    "train",
)

LINE_LENGTH = 100
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
PARTICIPLES = {
    "asked",
    "found",
    "given",
    "held",
    "kept",
    "known",
    "made",
    "own",
    "seen",
    "told",
}


def files(root: Path, room: str) -> list[Path]:
    """The files of a room, which is a folder or a single file."""
    return sorted((root / room).rglob("*.py")) or [root / f"{room}.py"]


def fields(tree: ast.AST) -> set[ast.AST]:
    """The names that are stored as fields of classes, which are no local variables."""
    names: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            names |= {line.target for line in node.body if isinstance(line, ast.AnnAssign)}
    return names


def local_name(node: ast.AST) -> str | None:
    """The name of a local variable or an argument, where `node` defines one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    return node.arg if isinstance(node, ast.arg) else None


def unpacks(node: ast.AST) -> bool:
    """Whether a node assigns a generator to a tuple of names."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.GeneratorExp):
        return False
    return any(isinstance(target, ast.Tuple | ast.List) for target in node.targets)


def fault(node: ast.AST) -> str | None:
    """What is wrong with one node of the syntax tree, if anything."""
    if unpacks(node):
        return "unpacks a tuple from a generator: write one assignment per name"
    if isinstance(node, COMPREHENSIONS):
        inner = [other for other in ast.walk(node) if isinstance(other, COMPREHENSIONS)]
        if len(inner) > 1:
            return "nests comprehensions: name the inner one, or write a loop or a helper"
        if len(node.generators) > 2:
            return "has a comprehension of more than two loops: write the loops"
    if local_name(node) in PARTICIPLES:
        return f"names a variable {local_name(node)!r}: use a noun that says what it is"
    return None


def dense(root: Path, rooms: tuple[str, ...]) -> list[str]:
    """Every breach of the style in some rooms of the package folder `root`, in words."""
    faults = []
    for room in rooms:
        for path in files(root, room):
            text = path.read_text()
            tree = ast.parse(text)
            skipped = fields(tree)
            where = path.relative_to(root)
            for number, line in enumerate(text.splitlines(), start=1):
                if len(line) > LINE_LENGTH:
                    faults.append(f"{where}:{number} is longer than {LINE_LENGTH} characters")
            for node in ast.walk(tree):
                if node not in skipped and (words := fault(node)):
                    faults.append(f"{where}:{getattr(node, 'lineno', 0)} {words}")
    return faults


def test_the_rooms_are_in_order():
    assert dense(PACKAGE, CLEAN) == []


def test_lines_of_c_are_as_short():
    sources = sorted(PACKAGE.rglob("*.c"))
    assert sources
    for path in sources:
        lines = path.read_text().splitlines()
        assert [k for k, line in enumerate(lines, 1) if len(line) > LINE_LENGTH] == [], path.name


@pytest.mark.parametrize("room", CLEAN)
def test_every_clean_room_has_files(room):
    assert all(path.is_file() for path in files(PACKAGE, room))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a, b = (f(x) for x in y)", "unpacks a tuple"),
        ("[a, b] = (f(x) for x in y)", "unpacks a tuple"),
        ("def f():\n    a, b = c = (x for x in y)", "unpacks a tuple"),
        ("a = [[x for x in row] for row in y]", "nests comprehensions"),
        ("a = {k: sum(x for x in v) for k, v in y}", "nests comprehensions"),
        ("a = [f(x) for x in [z for z in y]]", "nests comprehensions"),
        ("a = [x for a in y for b in a for x in b]", "more than two loops"),
        ("found = 1", "'found'"),
        ("def f():\n    x, known = 1, 2", "'known'"),
        ("def f(asked): ...", "'asked'"),
        ("for made in y: ...", "'made'"),
        ("a = [told for told in y]", "'told'"),
        ("if (seen := 1): ...", "'seen'"),
        ("with y as held: ...", "'held'"),
        ("x = '" + "a" * 96 + "'", "longer than 100"),
    ],
)
def test_a_planted_fault_is_found(tmp_path, text, words):
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "planted.py").write_text(text)
    faults = dense(tmp_path, ("room",))
    assert len(faults) == 1
    assert faults[0].startswith("room/planted.py:") and words in faults[0]


@pytest.mark.parametrize(
    "text",
    [
        "a, b = f(x), f(y)",
        "a, b = [f(x) for x in y]",
        "a = [x for row in y for x in row]",
        "rows = [f(x) for x in y]\na = [g(row) for row in rows]",
        "class A:\n    given: int\n    asked: int",
        "a.found = 1",
        "x = '" + "a" * 94 + "'",
    ],
)
def test_what_is_in_order_passes(tmp_path, text):
    (tmp_path / "room.py").write_text(text)
    assert dense(tmp_path, ("room",)) == []
