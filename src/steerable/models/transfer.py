"""The weights of one network of atoms as the first weights of another."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from .atom_network import AtomNetwork
from .heads import Head
from .outputs import named_outputs

_BOND = 1.0  # Angstrom between the two atoms that show which weights an element moves


class Transfer(NamedTuple):
    """What was taken over, by names of parameters.

    Args:
        whole: those that were copied.
        partly: those of which the rows of elements that both networks know were copied.
        fresh: those that keep their first values.
    """

    whole: tuple[str, ...]
    partly: tuple[str, ...]
    fresh: tuple[str, ...]


@torch.no_grad()
def transfer(source: AtomNetwork, target: AtomNetwork) -> Transfer:
    """Copy the weights of a trained network to one that may have other elements and other heads.

    A parameter is copied where name and shape agree. Of one that has rows for elements, the rows of
    each element that both networks know are copied: these are the entries that a molecule of this
    element alone moves. References, shifts and scales are no parameters; they stay those of the
    target.

    Args:
        source: the trained network.
        target: the network that changes.
    """
    shared = [z for z in target.elements if z in source.elements]
    given, moved = _weights(source), _moves(source, shared)
    moves = _moves(target, shared)
    result: dict[str, list[str]] = {"whole": [], "partly": [], "fresh": []}
    for name, (key, parameter) in _weights(target).items():
        count = 0
        if name in given and shared:
            old_key, old = given[name]
            count = _copy(old, parameter, moved[old_key], moves[key])
        size = "whole" if count == parameter.numel() else "partly" if count else "fresh"
        result[size].append(key)
    return Transfer(**{size: tuple(names) for size, names in result.items()})


def _weights(network: AtomNetwork) -> dict[str, tuple[str, Tensor]]:
    """The parameters with their keys; a head is called by its target, whatever its number is."""
    result: dict[str, tuple[str, Tensor]] = {}
    heads = {f"heads.{k}.": head.settings.name for k, head in enumerate(_heads(network))}
    for key, parameter in network.named_parameters():
        number = ".".join(key.split(".")[:2]) + "."
        name = key.replace(number, f"heads[{heads[number]}].", 1) if number in heads else key
        result[name] = key, parameter
    return result


def _heads(network: AtomNetwork) -> list[Head]:
    return [head for head in getattr(network, "heads", ()) if isinstance(head, Head)]


def _copy(given: Tensor, asked: Tensor, moves: list[Tensor], targets: list[Tensor]) -> int:
    """Copy entries that belong together; how many they are."""
    if given.dim() != asked.dim():
        return 0
    common = torch.stack(moves).all(0), torch.stack(targets).all(0)
    alone = [(old & ~common[0], new & ~common[1]) for old, new in zip(moves, targets, strict=True)]
    count = 0
    for old, new in (common, *alone):
        # Entries keep their order in both networks, whatever lies between them.
        if int(old.sum()) == int(new.sum()):
            asked[new] = given[old].to(asked)
            count += int(new.sum())
    return count


@torch.enable_grad()
def _moves(network: AtomNetwork, elements: list[int]) -> dict[str, list[Tensor]]:
    """The entries of each parameter that a molecule of one element moves, for each element."""
    probe = copy.deepcopy(network).cpu().double()
    generator = torch.Generator().manual_seed(0)
    for parameter in probe.parameters():  # weights that are zero would stop gradients
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.data = parameter.data + 0.05 * noise
        parameter.requires_grad_(True)
    if probe.state is not None:  # its attributes move the weights of all elements
        probe.state.first.weight.data.zero_()
    pos = _BOND * torch.eye(3, dtype=torch.float64)
    names = () if probe.state is None else probe.state.names
    states = {name: torch.full((1,), 2.0).double() for name in names}
    result: dict[str, list[Tensor]] = {name: [] for name, _ in probe.named_parameters()}
    for element in elements:
        probe.zero_grad(set_to_none=True)
        outputs = named_outputs(probe(torch.full((3,), element), pos, **states))
        torch.cat([value.flatten() for value in outputs.values()]).square().sum().backward()
        for name, parameter in probe.named_parameters():
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            result[name].append(gradient != 0)
    return result
