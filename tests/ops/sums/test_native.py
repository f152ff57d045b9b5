"""Loops in C.

Compiled once, whole or absent, and never in the way of those who have no compiler.
"""

import ctypes
import shutil

import pytest
import torch

from steerable.ops.sums.native import SWITCH, native

SOURCE = """
#include <stdint.h>
void scale(int64_t count, REAL factor, REAL *x) {
    for (int64_t k = 0; k < count; k++) x[k] *= factor;
}
"""

needs_compiler = pytest.mark.skipif(
    not any(shutil.which(name) for name in ("cc", "gcc", "clang")), reason="there is no C compiler"
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setenv("STEERABLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(SWITCH, raising=False)
    file = tmp_path / "scale.c"
    file.write_text(SOURCE)
    return file


@needs_compiler
@pytest.mark.parametrize(
    ("dtype", "number"), [(torch.float32, ctypes.c_float), (torch.float64, ctypes.c_double)]
)
def test_functions_work_on_tensors_and_are_compiled_once(source, dtype, number, monkeypatch):
    x = torch.tensor([1.0, 2.0, torch.nan], dtype=dtype)
    native(source, dtype).scale(ctypes.c_int64(3), number(2.0), ctypes.c_void_p(x.data_ptr()))
    torch.testing.assert_close(x, torch.tensor([2.0, 4.0, torch.nan], dtype=dtype), equal_nan=True)
    assert [file.suffix for file in (source.parent / "cache").iterdir()] == [".so"]
    native.cache_clear()
    monkeypatch.setattr("steerable.ops.sums.native._compile", None)
    assert native(source, dtype) is not None


def test_other_numbers_and_the_switch_leave_it_to_torch(source, monkeypatch):
    assert native(source, torch.bfloat16) is None
    monkeypatch.setenv(SWITCH, "0")
    assert native(source, torch.float32) is None


def test_no_compiler_bad_code_and_a_folder_that_is_a_file_leave_it_to_torch(
    source, monkeypatch, tmp_path
):
    broken = tmp_path / "broken.c"
    broken.write_text("void f( {")
    assert native(broken, torch.float32) is None
    assert not list(tmp_path.glob("cache/*"))
    monkeypatch.setenv("STEERABLE_CACHE", str(source))
    assert native(source, torch.float64) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert native(source, torch.float32) is None
