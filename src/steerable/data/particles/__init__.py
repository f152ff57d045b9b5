"""Systems of particles: laws of motion, tasks of dynamics, and batches."""

from . import charged, gravity, solar_system, springs
from .conserved import angular_momentum, momentum
from .nbody import BODIES, PRESETS, Forecast, baselines, read_nbody
from .systems import Systems, gather

__all__ = [
    "BODIES",
    "PRESETS",
    "Forecast",
    "Systems",
    "angular_momentum",
    "baselines",
    "charged",
    "gather",
    "gravity",
    "momentum",
    "read_nbody",
    "solar_system",
    "springs",
]
