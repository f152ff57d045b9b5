"""What runs a trained network without the packages that train it."""

from .device import AUTO, DeviceError, find_device, placement
from .features import FeatureReference, feature_reference
from .figures import CONFUSION, PARITY, FigureRecord, figures_of, predictions_file
from .inputs import FramesError, NetworkInputs
from .predict import Predictions, predict_parts
from .predictor import Predictor, UnlikeTrainingWarning, has_targets, targets_of
from .run_folder import (
    CONFIG,
    DATA,
    FORMAT,
    LABELS,
    LOG,
    METADATA,
    METRICS,
    PREDICTIONS,
    SPLIT,
    STATE,
    WEIGHTS,
    CheckpointError,
    load,
    member_folders,
    predict_exactly,
    write,
)
from .sources import Source, find_sources
from .units import UnitError, check_units, convert, converted
from .whole_file import whole_file
from .writers import FORMATS, Heading, Writer, choose_format, open_writer

__all__ = [
    "AUTO",
    "CONFIG",
    "CONFUSION",
    "DATA",
    "FORMAT",
    "FORMATS",
    "LABELS",
    "LOG",
    "METADATA",
    "METRICS",
    "PARITY",
    "PREDICTIONS",
    "SPLIT",
    "STATE",
    "WEIGHTS",
    "CheckpointError",
    "DeviceError",
    "FeatureReference",
    "FigureRecord",
    "FramesError",
    "Heading",
    "NetworkInputs",
    "Predictions",
    "Predictor",
    "Source",
    "UnitError",
    "UnlikeTrainingWarning",
    "Writer",
    "check_units",
    "choose_format",
    "convert",
    "converted",
    "feature_reference",
    "figures_of",
    "find_device",
    "find_sources",
    "has_targets",
    "load",
    "member_folders",
    "open_writer",
    "placement",
    "predict_exactly",
    "predict_parts",
    "predictions_file",
    "targets_of",
    "whole_file",
    "write",
]
