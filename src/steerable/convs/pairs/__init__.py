"""Layers of pairs of the elements of a set, and of graphs."""

from typing import TYPE_CHECKING

from ...lazy import lazy
from .pair_index import Pairs, pack, pairs_of, unpack
from .pair_linear import PairLinear
from .pair_product import PairProduct

if TYPE_CHECKING:
    from .graph_linear import GraphLinear

__all__ = ["GraphLinear", "PairLinear", "PairProduct", "Pairs", "pack", "pairs_of", "unpack"]

# A class of PyTorch Geometric, which takes seconds to import.
__getattr__ = lazy(__name__, {"GraphLinear": ".graph_linear"})
