"""Command lines, and what is said where they cannot be understood."""

from __future__ import annotations

import argparse
from typing import NoReturn


class UsageError(ValueError):
    """A command line that cannot be understood."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. Try: {self.prog} --help")
