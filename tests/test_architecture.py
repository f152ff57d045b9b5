"""The rooms of the house and who may import whom, read from the source with `ast`."""

import ast
import importlib
import shutil
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import steerable

PACKAGE = Path(steerable.__path__[0])

# From the lowest to the highest. A room imports only from rows above its own; rooms of one row are
# strangers.
ROWS = [
    ("arguments", "constants", "lazy", "settings", "tracing"),
    ("functions",),
    ("groups", "ops"),
    ("field",),
    ("operators",),
    ("layers",),
    ("filters",),
    ("convs",),
    ("nn", "certify", "compiling"),
    ("models", "data"),
    ("deploy",),
    ("train", "report"),
    ("cli_data", "cli_predict"),
    ("cli",),
]
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
ROOT_RANK = len(
    ROWS
)  # steerable/__init__.py is above all: it may show any room, and no room asks it

LINES_A_FILE = 400
LINES_A_FUNCTION = 60


def modules(root: Path) -> dict[str, Path]:
    """Dotted name -> file of every module below the package folder `root`.

    The package's name is `steerable`.
    """
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(("steerable", *(part for part in parts if part != "__init__")))] = path
    return found


@cache
def import_statements(text: str) -> list[ast.Import | ast.ImportFrom]:
    """Those of a file; copies of one file are parsed once."""
    nodes = ast.walk(ast.parse(text))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(name: str, path: Path, known: set[str]) -> set[str]:
    """The modules of the package that the module `name` imports.

    At the top or in functions, absolute or relative.
    """
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    asked = set()
    for node in import_statements(path.read_text()):
        if isinstance(node, ast.Import):
            asked |= {alias.name for alias in node.names}
        else:
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            asked |= {
                full if (full := f"{base}.{alias.name}") in known else base for alias in node.names
            }
    return {target for target in asked if target.split(".")[0] == "steerable" and target != name}


def room(module: str) -> str:
    """The first name below `steerable`; empty for `steerable` itself."""
    return module.partition(".")[2].partition(".")[0]


def rank_fault(source: str, target: str) -> str | None:
    """What is wrong with the import of `target` by `source`, if anything."""
    here, there = room(source), room(target)
    if here == "" or here == there or here not in RANK:
        return None
    if there == "":
        return (
            f"{source} imports steerable itself, which is above every room: import from the room "
            "that has it"
        )
    if there not in RANK:
        return f"{source} imports {target}, which has no rank"
    if RANK[there] < RANK[here]:
        return None
    relation = "a stranger to" if RANK[there] == RANK[here] else "above"
    return (
        f"{source} imports {target}, but {there} is {relation} {here}: move what both need to a "
        "lower room"
    )


def violations(root: Path) -> list[str]:
    """Every breach of the architecture in the package folder `root`, in words."""
    files = modules(root)
    graph = {name: imports(name, path, set(files)) for name, path in files.items()}
    unknown = sorted({room(name) for name in files} - set(RANK) - {""})
    found = [
        f"steerable/{name} has no rank: give it a row in {Path(__file__).name}" for name in unknown
    ]
    found += [
        fault
        for name in graph
        for target in sorted(graph[name])
        if (fault := rank_fault(name, target))
    ]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append("circle of imports: " + " -> ".join(reversed(error.args[1])))
    return found


@cache
def shown(text: str) -> set[str]:
    """The names in the `__all__` of a file."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def is_door(module: str, files: dict[str, Path]) -> bool:
    """Whether other rooms may import from `module`.

    Doors are the `__init__` of a room or of a folder in it, a room that is one file, and a module
    that the `__init__` above it shows.
    """
    above, _, name = module.rpartition(".")
    path = files.get(module)
    if path is None or path.name == "__init__.py" or above == "steerable":
        return True
    return above in files and name in shown(files[above].read_text())


def back_doors(root: Path) -> list[str]:
    """Every import of a file of another room in the package folder `root`, in words."""
    files = modules(root)
    return [
        f"{name} imports {target}, a back door of {room(target)}: import from its `__init__`"
        for name, path in files.items()
        for target in sorted(imports(name, path, set(files)))
        if room(target) != room(name) and not is_door(target, files)
    ]


def oversized(root: Path) -> list[str]:
    """Every file and function of the package folder `root` that is longer than the style allows."""
    found = []
    for name, path in modules(root).items():
        text = path.read_text()
        if (lines := len(text.splitlines())) > LINES_A_FILE:
            found.append(f"{name} has {lines} lines; at most {LINES_A_FILE}: split it")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node, clean=False) is not None:
                    lines -= node.body[0].end_lineno - node.body[0].lineno + 1
                if lines > LINES_A_FUNCTION:
                    found.append(
                        f"{name}.{node.name} has {lines} lines; at most {LINES_A_FUNCTION}: split "
                        "it"
                    )
    return found


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, to plant faults in."""
    return Path(
        shutil.copytree(
            PACKAGE, tmp_path / "steerable", ignore=shutil.ignore_patterns("__pycache__")
        )
    )


def plant(copy: Path, file: str, text: str) -> None:
    path = copy / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_the_house_is_in_order():
    assert violations(PACKAGE) == []


def test_rooms_are_entered_by_their_doors():
    assert back_doors(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("models/planted.py", "from ..convs.points.point_conv import PointConv"),
        ("models/planted.py", "from ..convs.points import point_conv"),
        ("models/planted.py", "def late():\n    import steerable.layers.mlp"),
        ("train/tasks/planted.py", "from steerable.data.images.digits import Digits"),
        ("deploy/planted.py", "from steerable.ops.neighbours.tree import build_tree"),
    ],
)
def test_a_planted_back_door_is_found(copy, file, text):
    plant(copy, file, text)
    found = back_doors(copy)
    assert len(found) == 1
    assert found[0].startswith(f"steerable.{file[:-3].replace('/', '.')} imports ")


@pytest.mark.parametrize(
    "text",
    [
        "from ..convs import PointConv",
        "from ..convs.points import PointConv",
        "from ..operators import named",
        "from ..field import Field",
        "from .regressor import Regressor",
    ],
)
def test_doors_are_open(copy, text):
    plant(copy, "models/planted.py", text)
    assert back_doors(copy) == []


def test_every_room_is_reached_from_the_package():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(steerable._ROOMS) - {"nn"}
    assert all(getattr(steerable, name) for name in steerable._ROOMS)


def test_no_file_or_function_is_too_long():
    assert oversized(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("layers/planted.py", "from steerable.convs import points"),
        ("layers/planted.py", "def late():\n    import steerable.convs.points.point_conv"),
        ("layers/planted.py", "from ..convs.points import PointConv"),
        ("layers/planted.py", "from steerable import convs"),
        ("groups/planted.py", "from .. import layers"),
        ("functions/planted.py", "import steerable.groups"),
        ("models/planted.py", "from steerable.data import qm9"),
        ("data/planted.py", "from ..models import regressor"),
        ("train/planted.py", "from steerable.cli import main"),
        ("deploy/planted.py", "from steerable.train import fit"),
        ("constants/planted.py", "from ..functions import bessel"),
        ("data/planted.py", "from steerable import __version__"),
    ],
)
def test_a_planted_back_import_is_found(copy, file, text):
    before = violations(copy)
    for package in ("convs", "layers", "models", "data"):
        if not (copy / package / "__init__.py").exists():
            plant(copy, f"{package}/__init__.py", "")
    plant(copy, file, text)
    new = [fault for fault in violations(copy) if fault not in before]
    assert len(new) == 1
    assert new[0].startswith(f"steerable.{file.split('/')[0]}.planted imports ")


def test_a_field_that_imports_layers_is_found(copy):
    field = copy / "field.py"
    field.write_text(
        (field.read_text() if field.exists() else "") + "\nfrom steerable import layers\n"
    )
    plant(copy, "layers/__init__.py", "")
    assert any(
        fault.startswith("steerable.field imports steerable.layers") for fault in violations(copy)
    )


def test_a_circle_in_one_folder_is_found(copy):
    plant(copy, "layers/first.py", "from .second import b")
    plant(copy, "layers/second.py", "def late():\n    from steerable.layers.first import a")
    assert any(
        "circle" in fault and "first" in fault and "second" in fault for fault in violations(copy)
    )


def test_a_circle_through_a_folder_is_found(copy):
    plant(copy, "layers/__init__.py", "from steerable.layers.first import a")
    plant(copy, "layers/first.py", "from steerable.layers import b")
    assert any("circle" in fault for fault in violations(copy))


def test_a_room_without_a_rank_is_found(copy):
    plant(copy, "attic/__init__.py", "")
    assert f"steerable/attic has no rank: give it a row in {Path(__file__).name}" in violations(
        copy
    )


def test_a_long_function_is_found_and_its_docstring_does_not_count(tmp_path):
    body = "    x = 1\n" * (LINES_A_FUNCTION - 1)
    plant(tmp_path, "short.py", 'def f():\n    """One.\n\n    Two.\n    """\n' + body)
    plant(tmp_path, "long.py", "def f():\n    x = 0\n" + body)
    plant(tmp_path, "tall.py", "x = 1\n" * (LINES_A_FILE + 1))
    found = oversized(tmp_path)
    assert len(found) == 2
    assert any(fault.startswith("steerable.long.f has 61 lines") for fault in found)
    assert any(fault.startswith("steerable.tall has 401 lines") for fault in found)


def exports(path: Path) -> bool:
    """Whether a file sets `__all__`."""
    assigned = [
        node.targets for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)
    ]
    return any(getattr(target, "id", "") == "__all__" for targets in assigned for target in targets)


EXPORTING = [name for name, path in modules(PACKAGE).items() if exports(path)]


@pytest.mark.parametrize("name", EXPORTING)
def test_all_names_exist_once(name):
    module = importlib.import_module(name)
    assert len(set(module.__all__)) == len(module.__all__)
    assert [public for public in module.__all__ if not hasattr(module, public)] == []


def test_every_folder_says_what_is_public():
    silent = [
        name
        for name, path in modules(PACKAGE).items()
        if path.name == "__init__.py" and name not in EXPORTING
    ]
    assert silent == []
