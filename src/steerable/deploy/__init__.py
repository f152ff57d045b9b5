"""What runs a trained network without the packages that train it."""

from .device import AUTO, DeviceError, find_device, placement
from .figures import CONFUSION, PARITY, FigureRecord, figures_of, predictions_file
from .predict import (
    FilePredictions,
    FramesError,
    check_frames,
    predict_frames,
    predict_molecules,
    read_frames,
)
from .run_folder import (
    CONFIG,
    FORMAT,
    LABELS,
    LOG,
    METADATA,
    METRICS,
    PREDICTIONS,
    STATE,
    WEIGHTS,
    CheckpointError,
    load,
    predict_exactly,
    write,
)

__all__ = [
    "AUTO",
    "CONFIG",
    "CONFUSION",
    "FORMAT",
    "LABELS",
    "LOG",
    "METADATA",
    "METRICS",
    "PARITY",
    "PREDICTIONS",
    "STATE",
    "WEIGHTS",
    "CheckpointError",
    "DeviceError",
    "FigureRecord",
    "FilePredictions",
    "FramesError",
    "check_frames",
    "figures_of",
    "find_device",
    "load",
    "placement",
    "predict_exactly",
    "predict_frames",
    "predict_molecules",
    "predictions_file",
    "read_frames",
    "write",
]
