"""The networks by name: a peer with the references of the training molecules, or steerable's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .molecules import Facts


class Referenced(nn.Module):
    """y = scale network(z, pos, batch, edge_index, size) + shift + sum over atoms of reference[z].

    Args:
        network: one number per molecule, of the size of 1.
        facts: of the training molecules.
    """

    reference: Tensor

    def __init__(self, network: nn.Module, facts: Facts) -> None:
        super().__init__()
        self.network, self.shift, self.scale = network, facts.shift, facts.scale
        reference = torch.zeros(119, dtype=torch.float64)
        reference[facts.elements] = torch.tensor(facts.reference, dtype=torch.float64)
        self.register_buffer("reference", reference)

    def forward(
        self, z: Tensor, pos: Tensor, batch: Tensor, edge_index: Tensor, size: int
    ) -> Tensor:
        """One number per molecule, float64, since energies are too large for float32."""
        learned = self.network(z, pos, batch, edge_index, size).double()
        atoms = learned.new_zeros(size).index_add(0, batch, self.reference[z])
        result: Tensor = learned * self.scale + self.shift + atoms
        return result


def build(name: str, facts: Facts, compiled: bool = False, **arguments: Any) -> nn.Module:
    """A network to `y`, from its name in `NETWORKS` and its own arguments."""
    if name == "steerable":
        from .ours import network

        model = network(**arguments)
    else:
        model = Referenced(NETWORKS[name](facts, compiled, **arguments), facts)
    if compiled and name not in COMPILES_ITSELF:
        model.compile(dynamic=True)
    return model


def _painn(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .painn import PaiNN

    return PaiNN(facts.cutoff, **arguments)


def _nequip(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .packages import NequIP

    return NequIP(facts, compiled, **arguments)


def _mace(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .packages import MACE

    return MACE(facts, compiled, **arguments)


def _schnet(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .geometric import GivenSchNet

    return GivenSchNet(facts.cutoff, **arguments)


def _dimenet(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .geometric import GivenDimeNet

    return GivenDimeNet(facts.cutoff, **arguments)


def _visnet(facts: Facts, compiled: bool, **arguments: Any) -> nn.Module:
    from .geometric import GivenViSNet

    return GivenViSNet(facts.cutoff, **arguments)


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "painn": _painn,
    "nequip": _nequip,
    "mace": _mace,
    "schnet": _schnet,
    "dimenet": _dimenet,
    "visnet": _visnet,
}
COMPILES_ITSELF = ("nequip", "mace")
