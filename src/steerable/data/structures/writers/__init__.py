"""Writers of files of structures, one file a format."""

from .extxyz import write_extxyz_part
from .writing import convert, write

__all__ = ["convert", "write", "write_extxyz_part"]
