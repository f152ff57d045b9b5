"""Predictions as files, one format a file; all are written a part at a time."""

from .choose import FORMATS, choose_format, open_writer
from .writer import Heading, Writer

__all__ = ["FORMATS", "Heading", "Writer", "choose_format", "open_writer"]
