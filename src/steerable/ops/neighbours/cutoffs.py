"""What is asked of the radius of a search."""

from __future__ import annotations


def check_cutoff(cutoff: float, name: str) -> None:
    """Raise ValueError unless the cutoff of the function `name` is positive and finite."""
    if not 0 < cutoff < float("inf"):
        raise ValueError(f"{name} needs a positive, finite cutoff; got {cutoff}.")
