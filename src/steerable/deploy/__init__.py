"""What runs a trained network without the packages that train it."""

from .predict import FramesError, check_frames, predict_frames, read_frames
from .run_folder import (
    CONFIG,
    FORMAT,
    LABELS,
    METADATA,
    WEIGHTS,
    CheckpointError,
    load,
    predict_exactly,
    write,
)

__all__ = [
    "CONFIG",
    "FORMAT",
    "LABELS",
    "METADATA",
    "WEIGHTS",
    "CheckpointError",
    "FramesError",
    "check_frames",
    "load",
    "predict_exactly",
    "predict_frames",
    "read_frames",
    "write",
]
