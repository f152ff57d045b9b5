"""Farthest-point sampling: a few points of a cloud that cover it evenly."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import check_points, clouds


@torch.no_grad()
def farthest_point_sampling(
    pos: Tensor,
    count: int | float,
    batch: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Take points one by one, each the one farthest from those taken before it.

        s_1 = argmax_i |x_i - mean x|,    s_(n+1) = argmax_i min over m <= n of |x_i - x_(s_m)|

    No random number and no axis enters, so the sample of a rotated, reflected, shifted or reordered
    cloud is that of the cloud, up to points that are equally far to rounding; of those the one with
    the lowest index is taken.

    Args:
        pos: points (node, d).
        count: how many points of every cloud, all of a cloud that has fewer; or, as a float in (0,
            1], which part of its points, rounded up.
        batch: cloud of every point (node,), in any order; one cloud if absent.
        generator: draws the first point of every cloud instead, to vary the sample in training.

    Returns:
        Indices (sampled,), sorted by cloud, then in the order in which they were taken; no point
        comes twice.

    Raises:
        ValueError: positions that are not finite, or a count that is not positive.

    Source: Eldar, Lindenbaum, Porat, Zeevi, "The farthest point strategy for progressive image
    sampling" (1997).
    """
    check_points(pos, batch)
    sets = clouds(batch, pos)
    wanted = _wanted(count, sets.counts)
    if not len(pos):
        return sets.order
    nodes, real = sets.slots()
    points = pos[nodes].movedim(-1, 0).contiguous()
    if generator is None:
        centre = (points * real).sum(-1, keepdim=True) / sets.counts[:, None]
        last = _square(points - centre).masked_fill(~real, -1).argmax(1)
    else:
        share = torch.rand(
            len(nodes), generator=generator, dtype=torch.double, device=generator.device
        )
        last = (share.to(pos.device) * sets.counts).long()
    nearest = torch.where(real, points.new_tensor(float("inf")), -1)
    taken = nodes.new_zeros(len(nodes), int(wanted.max()))
    for step in range(taken.shape[1]):
        taken[:, step] = last
        chosen = points.gather(2, last[None, :, None].expand(len(points), -1, -1))
        torch.minimum(nearest, _square(points - chosen), out=nearest)
        nearest.scatter_(
            1, last[:, None], -1
        )  # not again, though others may be as near to a point taken
        last = nearest.argmax(1)
    return nodes.gather(1, taken)[torch.arange(taken.shape[1], device=pos.device) < wanted[:, None]]


def _square(offset: Tensor) -> Tensor:
    return offset.square_().sum(0)


def _wanted(count: int | float, counts: Tensor) -> Tensor:
    if isinstance(count, float):
        if not 0 < count <= 1:
            raise ValueError(
                f"As a float, count is the part of the points to take, in (0, 1]; got {count}."
            )
        # Less a rounding error, or 0.7 of 10 points would be 8.
        return torch.ceil(counts.double() * count * (1 - 1e-12)).long()
    if count < 1:
        raise ValueError(f"farthest_point_sampling needs a count of at least 1; got {count}.")
    return counts.clamp(max=count)
