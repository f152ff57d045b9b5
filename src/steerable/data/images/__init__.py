"""Pictures of digits, in the plane and on the sphere, and batches."""

from .digits import (
    Digits,
    deformations,
    digit_files,
    part_indices,
    read_digits,
    rotated_parts,
    turns,
    warp,
)
from .pictures import PictureBatch, Pictures
from .sphere_digits import SphereDigits, sphere_parts
from .sphere_pictures import FlatPictures, SpherePictures

__all__ = [
    "Digits",
    "FlatPictures",
    "PictureBatch",
    "Pictures",
    "SphereDigits",
    "SpherePictures",
    "deformations",
    "digit_files",
    "part_indices",
    "read_digits",
    "rotated_parts",
    "sphere_parts",
    "turns",
    "warp",
]
