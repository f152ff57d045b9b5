"""Sums over neighbourhoods: by segments, in blocks, by loops in C."""

from .blocks import blockwise, pull, pull_twice, run
from .kernel import Inputs, Kernel, Loops
from .moments import moments
from .native import NativeStatus, NativeWarning, native, native_for, native_status
from .neighbourhoods import Block, Neighbourhoods, Rows, as_index, neighbourhoods
from .segment import segment_max, segment_mean, segment_min, segment_softmax, segment_sum

__all__ = [
    "Block",
    "Inputs",
    "Kernel",
    "Loops",
    "NativeStatus",
    "NativeWarning",
    "Neighbourhoods",
    "Rows",
    "as_index",
    "blockwise",
    "moments",
    "native",
    "native_for",
    "native_status",
    "neighbourhoods",
    "pull",
    "pull_twice",
    "run",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_sum",
]
