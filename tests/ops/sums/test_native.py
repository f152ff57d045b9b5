"""Loops in C.

Compiled once, whole or absent, of nobody else, and never in the way of those who have no compiler.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from steerable.ops import NativeWarning, native_status
from steerable.ops.sums.native import SWITCH, native

module = sys.modules["steerable.ops.sums.native"]

SOURCE = """
#include <stdint.h>
void scale(int64_t count, REAL factor, REAL *x) {
    for (int64_t k = 0; k < count; k++) x[k] *= factor;
}
"""
PLANTED = "void scale(long count, REAL factor, REAL *x) { x[0] = 666; }"

needs_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("cc", "gcc", "clang")), reason="there is no C compiler"
)
needs_posix = pytest.mark.skipif(os.name != "posix", reason="there are no owners and modes")


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("STEERABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(module, "_warned", [])
    monkeypatch.setattr(module, "_libraries", {})
    file = tmp_path / "scale.c"
    file.write_text(SOURCE)
    return file


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder that is the only one in which programs are searched; returns a way to add one."""
    folder = tmp_path / "tools"
    folder.mkdir()
    compiler, path = shutil.which("gcc") or shutil.which("cc"), os.environ["PATH"]
    monkeypatch.setenv("PATH", str(folder))

    def add(name, works=True):
        script = f'PATH="{path}" exec {compiler} "$@"' if works else "echo no licence >&2; exit 1"
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


def files(source, suffix):
    return sorted(source.parent.glob(f"cache/native/*{suffix}"))


def anew(source, dtype=torch.float32):
    """As in another process: nothing is remembered but what the cache holds."""
    native.cache_clear()
    return native(source, dtype)


def doubles(library):
    """Whether the library does what its source says."""
    x = torch.ones(3)
    library.scale(ctypes.c_int64(3), ctypes.c_float(2.0), ctypes.c_void_p(x.data_ptr()))
    return x.tolist() == [2, 2, 2]


def replaced(path, content):
    """Other content in another file of that name, for the old one is still mapped here."""
    other = path.with_name("other")
    other.write_bytes(content)
    other.chmod(0o600)
    other.replace(path)


@needs_compiler
@pytest.mark.parametrize(
    ("dtype", "number"), [(torch.float32, ctypes.c_float), (torch.float64, ctypes.c_double)]
)
def test_functions_work_on_tensors_and_are_compiled_once(source, dtype, number, monkeypatch):
    x = torch.tensor([1.0, 2.0, torch.nan], dtype=dtype)
    native(source, dtype).scale(ctypes.c_int64(3), number(2.0), ctypes.c_void_p(x.data_ptr()))
    torch.testing.assert_close(x, torch.tensor([2.0, 4.0, torch.nan], dtype=dtype), equal_nan=True)
    assert len(files(source, "")) == len(files(source, ".so")) + len(files(source, ".json")) == 2
    monkeypatch.setattr(module, "_compiled", None)
    assert anew(source, dtype) is not None


@needs_compiler
def test_the_cache_serves_where_there_is_no_compiler(source, tools):
    """A compute node without one, and the home of a login node that has one."""
    tools("cc")
    assert doubles(native(source, torch.float32))
    Path(shutil.which("cc")).unlink()
    assert doubles(anew(source))
    assert native_status().compilers == ()


@needs_compiler
def test_the_next_compiler_is_tried_when_one_fails(source, tools):
    tools("cc", works=False)
    with pytest.warns(NativeWarning, match=r"scale.c for float32: cc failed \(no licence\)"):
        assert anew(source) is None
    tools("gcc")
    assert doubles(anew(source))


@needs_compiler
def test_the_compiler_of_cc_comes_first(source, tools, monkeypatch):
    tools("cc", works=False)
    tools("special")
    monkeypatch.setenv("CC", "special -O1")
    assert native_status().compilers == ("special -O1", "cc")
    assert doubles(native(source, torch.float32))
    assert "special -O1" in json.loads(files(source, ".json")[0].read_text())["compiler"]
    monkeypatch.setenv("CC", "absent")
    assert native_status().compilers == ("cc",)


@needs_compiler
@pytest.mark.parametrize("damage", ["truncated", "zeros", "empty", "absent", "record"])
def test_a_damaged_library_is_compiled_anew(source, damage):
    native(source, torch.float32)
    library, record = files(source, ".so")[0], files(source, ".json")[0]
    whole = library.read_bytes()
    content = {
        "truncated": whole[:5000],
        "zeros": whole[:4096] + bytes(8192) + whole[12288:],
        "empty": b"",
    }
    if damage == "absent":
        library.unlink()
    elif damage == "record":
        replaced(record, b'{"library":')
    else:
        replaced(library, content[damage])
    assert doubles(anew(source))
    assert files(source, ".so")[0].read_bytes() == whole


@needs_compiler
def test_a_truncated_library_does_not_end_the_process(source):
    native(source, torch.float32)
    library = files(source, ".so")[0]
    replaced(library, library.read_bytes()[:5000])
    code = (
        "import sys, torch; from pathlib import Path; from steerable.ops.sums import native\n"
        "print(native(Path(sys.argv[1]), torch.float32).scale is not None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def plant(source, tmp_path):
    """Another library in place of ours, with a record that fits; both files."""
    other = tmp_path / "planted.c"
    other.write_text(PLANTED)
    (record,) = files(source, ".json")
    anew(other)
    entry = json.loads(next(p for p in files(source, ".json") if p != record).read_text())
    library = record.with_name("scale-planted.so")  # under a name that is not loaded here yet
    replaced(library, (library.parent / entry["library"]).read_bytes())
    replaced(record, json.dumps(entry | {"library": library.name}).encode())
    return library, record


@needs_posix
@needs_compiler
@pytest.mark.parametrize("fault", ["none", "writable library", "writable record", "link", "owner"])
def test_a_library_that_others_can_write_is_not_loaded(source, tmp_path, fault):
    native(source, torch.float32)
    library, record = plant(source, tmp_path)
    if fault == "none":
        assert not doubles(anew(source))
        return
    if fault == "writable library":
        library.chmod(0o622)
    elif fault == "writable record":
        record.chmod(0o620)
    elif fault == "link":
        library.rename(tmp_path / "elsewhere")
        library.symlink_to(tmp_path / "elsewhere")
    elif os.getuid() == 0:
        os.chown(library, 12345, 12345)
    else:
        pytest.skip("only root gives files away")
    assert doubles(anew(source))
    assert doubles(anew(source))


@needs_posix
@needs_compiler
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_can_write_is_not_used(source, mode):
    native(source, torch.float32)
    (source.parent / "cache" / "native").chmod(mode)
    with pytest.warns(NativeWarning, match="others may write it"):
        assert anew(source) is None


@needs_posix
@needs_compiler
def test_the_folder_is_private_in_a_folder_of_all(source):
    """As in /tmp, where nobody can replace what is of somebody else; without that bit all can."""
    cache = source.parent / "cache"
    cache.mkdir()
    cache.chmod(0o1777)
    umask = os.umask(0)
    try:
        assert doubles(native(source, torch.float32))
    finally:
        os.umask(umask)
    assert (cache / "native").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in files(source, "")} == {0o600}
    cache.chmod(0o777)
    with pytest.warns(NativeWarning, match="everybody may replace"):
        assert anew(source) is None


@pytest.mark.parametrize("word", ["0", "false", "OFF", "No"])
def test_other_numbers_and_the_switch_leave_it_to_torch(source, monkeypatch, word):
    assert native(source, torch.bfloat16) is None
    monkeypatch.setenv(SWITCH, word)
    assert anew(source) is None
    assert not native_status().enabled
    assert native_status().libraries["scale.c for float32"] == f"disabled by {SWITCH}"


@needs_compiler
@pytest.mark.parametrize("word", ["1", "True", "on", "yes"])
def test_the_switch_is_on(source, monkeypatch, word):
    monkeypatch.setenv(SWITCH, word)
    assert anew(source) is not None
    assert native_status().enabled


@needs_compiler
def test_a_word_that_says_neither_is_named(source, monkeypatch):
    monkeypatch.setenv(SWITCH, "nope")
    with pytest.warns(NativeWarning, match=r"0 \(false, off, no\); got 'nope', taken as 1"):
        assert anew(source) is not None


def test_no_compiler_bad_code_and_a_folder_that_is_a_file_leave_it_to_torch(
    source, monkeypatch, tmp_path
):
    """With one warning for all."""
    broken = tmp_path / "broken.c"
    broken.write_text("void f( {")
    with pytest.warns(NativeWarning, match=r"Loops in C are not used.*native_status\(\)") as caught:
        assert native(broken, torch.float32) is None
        assert not list(tmp_path.glob("cache/native/*"))
        monkeypatch.setenv("STEERABLE_CACHE", str(source))
        assert native(source, torch.float64) is None
        monkeypatch.setenv("STEERABLE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("PATH", str(tmp_path))
        assert native(source, torch.float32) is None
    assert len(caught) == 1
    reasons = native_status().libraries
    assert "there is no C compiler" in reasons["scale.c for float32"]
    assert "there is no C compiler" in str(native_status())


@needs_compiler
def test_the_status_names_the_library(source):
    assert "none was asked for yet" in str(native_status())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        native(source, torch.float32)
    (library,) = files(source, ".so")
    assert native_status().libraries == {"scale.c for float32": str(library)}
    assert native_status().folder == library.parent
    assert f"scale.c for float32: {library}" in str(native_status())
