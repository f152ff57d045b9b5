"""Layers of pairs of the elements of a set, and of graphs."""

from .graph_linear import GraphLinear
from .pair_index import Pairs, pack, pairs_of, unpack
from .pair_linear import PairLinear
from .pair_product import PairProduct

__all__ = ["GraphLinear", "PairLinear", "PairProduct", "Pairs", "pack", "pairs_of", "unpack"]
