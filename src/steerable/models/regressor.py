"""A network that predicts one invariant number of a molecule."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from ..certify import POSITIONS, Role
from ..convs import Pool
from ..field import Field, invariant_field
from ..ops import Neighbourhoods
from .atom_network import AtomNetwork, RegressorSettings, check_atoms
from .backbone import invariant_part
from .certifiable import Claim
from .readouts import invariant_readout


@dataclass(frozen=True)
class Reference:
    """What a prediction is measured from.

    y = shift + scale * (pooled network) + sum over atoms of their numbers.

    Args:
        elements: atomic numbers that are known.
        atoms: a number per element that is added for each of its atoms, in the unit of the target;
            0 if absent.
        shift: added to the result.
        scale: multiplies the network's part of the result.
        pool: `sum` or `mean` over atoms.
    """

    elements: tuple[int, ...]
    atoms: tuple[float, ...] | None = None
    shift: float = 0.0
    scale: float = 1.0
    pool: str = "sum"


EARLIER: dict[str, Any] = {
    "filter_layers": 3,
    "contraction": "full",
    "density_degree": 0,
    "products": False,
    "norm": True,
    "last": "all",
    "element_weights": False,
}
"""The settings of networks from before there were these settings."""


class Regressor(AtomNetwork):
    """y = shift + scale pool_i head(x_i) + sum_i atoms(z_i).

    The x_i come from convolutions on the neighbours of every atom. The first one makes the density
    of its neighbours, one for every element: harmonics times functions of the distance, summed. The
    others convolve features with learned functions of the distance. After each, the features at an
    atom are multiplied with each other: `layers.Products`. Energies grow with the molecule
    (`pool="sum"`), other properties need not (`pool="mean"`).

    What the kernels of the convolutions are is a choice, each more than the one before: `radial`,
    fixed functions of the distance times harmonics; `implicit`, a multilayer perceptron of the
    relative position; `bonds`, also of the distance in units of the two covalent radii; `ends`,
    also of the elements of both ends.

    Args:
        reference: elements, and what the prediction is measured from.
        hidden: field of the hidden features; its invariant part feeds the head.
        layers: number of convolutions.
        cutoff: radius of the neighbourhoods in Angstrom.
        filter_field: irreps of one channel of the filters.
        filter_channels: channels of the filters.
        group: name of the symmetry group, such as `"O(3)"`.
        neighbours: the usual number of neighbours within the cutoff.
        kernel: `radial`, `implicit`, `bonds` or `ends`.
        filter_layers: linear layers of the filters' perceptrons.
        contraction: `depthwise`, each copy of the features by itself, or `full`.
        density_degree: of the harmonics in the density; 0 for a first convolution of embeddings of
            the elements, like the others.
        products: whether the features at an atom are multiplied; or else they pass gates.
        norm: whether the features pass an RMSNorm before every convolution.
        last: what the last block makes, `invariants` or `all` features.
        element_weights: whether every sum over neighbours has weights of the element of its atom.

    Raises:
        ValueError: a kernel that there is not, or products where no features turn.

    Source: the density of the neighbours is that of Bartok et al. 2013, arXiv:1209.3140, and
    Drautz 2019, doi:10.1103/PhysRevB.99.014104; the products are those of `layers.Products`.
    """

    reference: Tensor
    statistics: Tensor

    def __init__(
        self,
        reference: Reference,
        hidden: str = "64x0e+32x1o",
        layers: int = 3,
        cutoff: float = 5.0,
        filter_field: str = "0e+1o",
        filter_channels: int = 32,
        group: str = "O(3)",
        neighbours: float = 16.0,
        kernel: str = "implicit",
        filter_layers: int = 2,
        contraction: str = "depthwise",
        density_degree: int = 1,
        products: bool = True,
        norm: bool = False,
        last: str = "invariants",
        element_weights: bool = False,
    ) -> None:
        settings = RegressorSettings(
            hidden=hidden,
            layers=layers,
            cutoff=cutoff,
            filter_field=filter_field,
            filter_channels=filter_channels,
            filter_layers=filter_layers,
            group=group,
            kernel=cast(Any, kernel),
            contraction=cast(Any, contraction),
            density_degree=density_degree,
            products=products,
            norm=norm,
            last=cast(Any, last),
            element_weights=element_weights,
        )
        super().__init__(reference.elements, settings, neighbours)
        # Energies of molecules are so large that float32 would round them to 1 meV.
        atoms = reference.atoms or [0.0] * len(self.elements)
        self.register_exact("reference", torch.tensor(atoms, dtype=torch.float64))
        self.register_exact(
            "statistics", torch.tensor([reference.shift, reference.scale], dtype=torch.float64)
        )
        invariants = invariant_part(Field.parse(hidden, self.group))
        self.head = invariant_readout(self.blocks.field_out, invariants)
        self.pool = Pool(invariant_field(self.group, 1), reference.pool)

    def forward(
        self,
        z: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        edge_index: Tensor | Neighbourhoods | None = None,
        size: int | None = None,
    ) -> Tensor:
        """Predict.

        Args:
            z: atomic numbers (atom,).
            pos: positions (atom, 3) in Angstrom.
            batch: molecule of every atom (atom,); one molecule if absent.
            edge_index: neighbours (2, edge), from `ops.radius_graph` if absent.
            size: number of molecules; by default the largest in `batch` plus one. Give it to
                compile or export.

        Returns:
            One number per molecule (graph,), in the unit of the target; float64 whatever the
            network is.

        Raises:
            UnknownElementError: atoms of other elements than the network was made for.
        """
        check_atoms(z, pos, batch, size)
        kind = self.kinds(z)
        x = self.features(kind, self.edges(pos, batch, edge_index))
        if size is None:
            size = int(batch.max()) + 1 if batch is not None and batch.shape[0] else 1
        shift, scale = self.statistics
        learned = self.head(x).to(self.reference.dtype) * scale
        atoms = learned + self.reference.index_select(0, kind).unsqueeze(-1)
        result: Tensor = self.pool(atoms, batch, size).squeeze(-1) + shift
        return result

    def certifiable(self, z: Tensor, pos: Tensor, batch: Tensor) -> Claim:
        """The claim that what was learned is invariant, without references of atoms and shift.

        These are invariant whatever was learned, and so large that errors would look small.
        """
        learned = copy.deepcopy(self)
        learned.reference.zero_()
        learned.statistics[0] = 0.0
        inputs = [(z, Role()), (pos, POSITIONS), (batch, Role())]
        return Claim(learned, inputs, Role(rows="graph"), self.group)

    def meaning(self) -> str:
        return f"elements={self.elements}, pool={self.pool.name}, kernel={self.kernel}"
