"""What is imported, and when: heavy packages wait until they are used."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import steerable.nn

HEAVY = ("torch_geometric", "scipy", "ase", "e3nn", "lightning", "matplotlib", "jsonargparse")
# It is a MessagePassing.
INHERITS = {"steerable.convs.points.point_conv"}


def loaded(code):
    """The modules of a fresh Python after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def packages_at_the_top(path):
    """The packages that a file imports as soon as it is imported."""
    names = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.append(node.module)
    return {name.split(".")[0] for name in names}


def file_of(module):
    parts = module.split(".")[1:]
    path = Path(steerable.__path__[0]).joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_the_package_alone_loads_neither_torch_nor_numpy():
    modules = loaded("import steerable, steerable.cli")
    assert not {"torch", "numpy"} & set(modules)


def test_networks_and_their_use_load_no_heavy_package():
    modules = loaded("import steerable.nn, steerable.models, steerable.deploy, steerable.certify")
    ours = [name for name in modules if name.split(".")[0] == "steerable"]
    assert "steerable.models.regressor" in ours and "steerable.deploy.predict" in ours
    heavy = {name: packages_at_the_top(file_of(name)) & set(HEAVY) for name in ours}
    assert {name for name, packages in heavy.items() if packages} <= INHERITS
    others = {name.split(".")[0] for name in modules}
    assert not others & (set(HEAVY) - {"torch_geometric"})


def test_certify_is_the_function_however_the_module_was_imported():
    code = """
import os, torch  # which takes long, so that the processes are forks of one that has it
for first in ("from steerable.certify import Role", "import steerable.certify", ""):
    if not os.fork():
        exec(first)
        from steerable import certify, Field
        assert certify.__name__ == "certify" and Field.parse("1x0e").dim == 1
        os._exit(int("steerable.certify" not in sys.modules))
    assert os.wait()[1] == 0
"""
    assert "steerable.certify" not in loaded(f"import sys{code}")
