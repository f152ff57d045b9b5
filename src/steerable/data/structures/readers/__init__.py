"""Readers of files of structures, one file a format."""

from .reading import read, read_parts
from .registry import READERS, Reader, reader_of

__all__ = ["READERS", "Reader", "read", "read_parts", "reader_of"]
