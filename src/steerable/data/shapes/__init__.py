"""Shapes: random solids, files of meshes, and batches of point clouds."""

from .clouds import ROTATIONS, Augmentation, Clouds
from .shapes import Shapes, read_shapes

__all__ = ["ROTATIONS", "Augmentation", "Clouds", "Shapes", "read_shapes"]
