"""Writers of files of structures, one file a format."""

from .writing import convert, write

__all__ = ["convert", "write"]
