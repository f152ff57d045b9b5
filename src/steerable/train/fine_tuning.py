"""A training that begins with the weights of another run."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from steerable.deploy import load
from steerable.models import AtomNetwork, transfer

from .config import ConfigError


def begin_from(model: nn.Module, run: Path | str) -> str:
    """Copy the weights of a run to a network, as far as they fit; what was copied, in words.

    Raises:
        CheckpointError: the folder holds no usable network.
        ConfigError: one of the networks is none of atoms, or nothing fits.
    """
    source, metadata = load(run)
    if not isinstance(source, AtomNetwork) or not isinstance(model, AtomNetwork):
        raise ConfigError(
            f"A run begins with the weights of another one where both learn from atoms; {run} "
            f"learned {metadata['task']}. Leave --from out."
        )
    result = transfer(source, model)
    if not result.whole and not result.partly:
        raise ConfigError(
            f"No weight of {run} fits the network: give the settings of its model, which are in "
            f"{Path(run) / 'config.yaml'}, or leave --from out."
        )
    words = [f"from {run}: {len(result.whole)} weights as they are"]
    if result.partly:
        elements = ", ".join(map(str, source.elements))
        words.append(f"{len(result.partly)} for the elements {elements} alone")
    if result.fresh:
        words.append(f"{len(result.fresh)} begin anew ({', '.join(result.fresh[:4])})")
    return "; ".join(words)
