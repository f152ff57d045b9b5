"""Electric moments and polarisabilities of molecules from steerable features of their atoms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..convs.sets import check_sets
from ..field import Field
from ..ops import check_points, segment_mean, segment_sum
from .tensor_of import TensorOf


class Multipoles(nn.Module):
    """Charge, dipole and quadrupole of molecules from moments at their atoms.

    They are point charges q_i, point dipoles m_i and point quadrupoles t_i.

        Q = sum q_i,     mu = sum q_i r_i + m_i,
        Theta = sum q_i (3 r_i r_i^T - r_i^2) / 2 + 3 (r_i m_i^T + m_i r_i^T) / 2 - r_i . m_i + t_i

    (Buckingham's traceless quadrupole; numbers stand for multiples of the unit matrix.) The q_i,
    m_i and t_i are linear in the features; an equal share of what is missing is added to the q_i,
    so that they sum to the charge that is given. The first moment that is not zero does not depend
    on the origin.

    Args:
        field_in: type of the atoms' features, a Field or its text (of O(3)), of a group of space.
        order: highest moment: 0 charge, 1 dipole, 2 quadrupole.

    Raises:
        FieldError: features of a group of the plane.
        ValueError: another order.

    Source: Buckingham 1967, Adv. Chem. Phys. 12, 107; Unke & Meuwly 2019 (PhysNet),
    arXiv:1902.08408, eq. 10 and 14.
    """

    def __init__(self, field_in: Field | str, order: int = 1) -> None:
        super().__init__()
        if order not in (0, 1, 2):
            raise ValueError(f"order is 0 (charge), 1 (dipole) or 2 (quadrupole); got {order}.")
        self.field_in = Field.parse(field_in)
        self.order = order
        self.sources = nn.ModuleList(TensorOf(self.field_in, degree) for degree in range(order + 1))

    def forward(
        self,
        x: Tensor,
        pos: Tensor,
        batch: Tensor | None = None,
        size: int | None = None,
        charge: Tensor | None = None,
        origin: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Evaluate.

        Args:
            x: features (atom, field_in.dim).
            pos: positions (atom, 3) in Angstrom.
            batch: molecule of every atom (atom,), in any order; one molecule if absent.
            size: number of molecules; by default the largest in `batch` plus one.
            charge: of the molecules (molecule,) in e; free if absent.
            origin: of the moments (molecule, 3) in Angstrom; by default the mean position of the
                atoms.

        Returns:
            The moments up to `order`: charges (molecule,) in e, dipoles (molecule, 3) in e
            Angstrom, quadrupoles (molecule, 3, 3) in e Angstrom^2.
        """
        self.field_in.check(x, "Multipoles")
        check_points(pos, None, "atom")
        batch, size = check_sets("Multipoles", pos, batch, size)
        sources = [source(x) for source in self.sources]
        q = sources[0]
        if charge is not None:
            sums = segment_sum(torch.stack([q, torch.ones_like(q)], -1), batch, size)
            q = q + ((charge - sums[:, 0]) / sums[:, 1].clamp(min=1)).index_select(0, batch)
        origin = segment_mean(pos, batch, size) if origin is None else origin
        r = pos - origin.index_select(0, batch)
        terms = [q]
        if self.order > 0:
            terms.append(q.unsqueeze(1) * r + sources[1])
        if self.order > 1:
            terms.append(_quadrupole(r, q.unsqueeze(1) * r / 2 + sources[1]) + sources[2])
        return tuple(segment_sum(term, batch, size) for term in terms)


class Polarisability(nn.Module):
    """alpha = sum over atoms of a_i + s_i.

    Multiples a_i of the unit matrix, and symmetric traceless matrices s_i.

    Args:
        field_in: type of the atoms' features, a Field or its text (of O(3)), of a group of space.

    Raises:
        FieldError: features of a group of the plane.
    """

    def __init__(self, field_in: Field | str) -> None:
        super().__init__()
        self.field_in = Field.parse(field_in)
        self.mean, self.anisotropy = TensorOf(self.field_in, 0), TensorOf(self.field_in, 2)

    def forward(self, x: Tensor, batch: Tensor | None = None, size: int | None = None) -> Tensor:
        """Features (atom, field_in.dim) to polarisabilities (molecule, 3, 3) in A^3.

        `batch` (atom,) gives the molecules.
        """
        self.field_in.check(x, "Polarisability")
        batch, size = check_sets("Polarisability", x, batch, size)
        identity = torch.eye(3, dtype=x.dtype, device=x.device)
        return segment_sum(self.mean(x)[:, None, None] * identity + self.anisotropy(x), batch, size)


def _quadrupole(r: Tensor, m: Tensor) -> Tensor:
    """3 (r m^T + m r^T) / 2 - r . m.

    The quadrupole of dipoles m at r (atom, 3), and of charges q if m = q r / 2.
    """
    outer = r.unsqueeze(2) * m.unsqueeze(1)
    identity = torch.eye(3, dtype=r.dtype, device=r.device)
    return 1.5 * (outer + outer.transpose(1, 2)) - (r * m).sum(1)[:, None, None] * identity
