"""Young modules: functions on the cosets of S_n by Young subgroups."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, prod

from numpy.typing import ArrayLike
from torch import Tensor

from ..closure import Array
from .permutations import as_permutations, compose, coset_numbers, cosets, permutation_matrices
from .symmetric import SymmetricGroup, YoungSubgroup
from .tableaux import Partition, as_partition, kostka, partitions_of_degree


@dataclass(frozen=True)
class YoungModule:
    """M^parts, the representation on functions on the cosets S_n / S_parts.

    A coset is a tabloid, or a word that contains letter k parts[k] times. Functions on points are
    M^(n-1, 1), on ordered pairs M^(n-2, 1, 1), and on unordered pairs M^(n-2, 2).

    Args:
        parts: a partition of n; the cosets are numbered as in `cosets`.

    Raises:
        GroupError: `parts` is not a partition.
    """

    parts: Partition

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", as_partition(self.parts))

    @property
    def group(self) -> YoungSubgroup:
        """S_n."""
        return SymmetricGroup(sum(self.parts))

    @property
    def dim(self) -> int:
        """The number of cosets."""
        return factorial(sum(self.parts)) // prod(map(factorial, self.parts))

    def matrices(self, elements: ArrayLike | Tensor) -> Array:
        """Matrices (element, dim, dim) of permutations (element, n) or their matrices."""
        images = as_permutations(elements, sum(self.parts))
        products = compose(images[:, None], cosets(self.parts)).reshape(-1, images.shape[1])
        numbers = coset_numbers(products, self.parts)
        return permutation_matrices(numbers.reshape(len(images), self.dim))

    def multiplicities(self) -> dict[Partition, int]:
        """The multiplicity of every irrep that occurs: the Kostka number (Young's rule)."""
        n, first = sum(self.parts), self.parts[0]
        counts = {shape: kostka(shape, self.parts) for shape in partitions_of_degree(n, n - first)}
        return {shape: count for shape, count in counts.items() if count}
