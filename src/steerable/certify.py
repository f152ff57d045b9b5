"""Certificates of equivariance for any callable on points, graphs or features."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .field import Field
from .groups import O3, Group

_ROWS = ("node", "edge", "graph")
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}


@dataclass(frozen=True)
class Role:
    """How an input, or the output, transforms under the symmetries.

    Args:
        rows: what the first axis counts: `node`, `edge` or `graph`.
        field: how the last axis transforms under the group; None if it is invariant.
        is_position: whether the last axis is a point in space, which is rotated and translated.
        is_edge_index: whether the tensor is an edge_index (2, edge).
    """

    rows: str = "node"
    field: Field | None = None
    is_position: bool = False
    is_edge_index: bool = False

    def __post_init__(self) -> None:
        if self.rows not in _ROWS:
            raise ValueError(
                f"The rows of a role are one of {', '.join(_ROWS)}; got {self.rows!r}."
            )


POSITIONS = Role(is_position=True)
EDGE_INDEX = Role(rows="edge", is_edge_index=True)


@dataclass(frozen=True)
class Check:
    """The largest relative error under one symmetry, and the element that caused it."""

    symmetry: str
    error: float
    worst: Any


@dataclass(frozen=True)
class Certificate:
    """The result of `certify`.

    Args:
        group: the group that was tested.
        dtype: the precision of the test.
        elements: the number of random elements per symmetry.
        tolerance: the largest error that passes.
        checks: one result per symmetry.
    """

    group: str
    dtype: str
    elements: int
    tolerance: float
    checks: tuple[Check, ...]

    @property
    def error(self) -> float:
        """The largest relative error of all symmetries; NaN if the function returned NaN."""
        return self._worst.error

    @property
    def _worst(self) -> Check:
        """The result with the largest error."""
        return max(self.checks, key=_size)

    @property
    def passed(self) -> bool:
        """Whether every error is within the tolerance."""
        return self.error <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """The certificate as a dictionary of numbers, strings and lists."""
        return asdict(self) | {"error": self.error, "passed": self.passed}

    def __str__(self) -> str:
        verdict = "equivariant" if self.passed else "NOT EQUIVARIANT"
        how = f"{self.dtype}, {self.elements} random elements, tolerance {self.tolerance:.0e}"
        lines = [f"{verdict} under {self.group}, {how}"]
        lines += [
            f"  {check.symmetry:<12} relative error {check.error:.1e}" for check in self.checks
        ]
        if not self.passed:
            lines.append(f"  worst: {self._worst.symmetry} {self._worst.worst}")
        return "\n".join(lines)


def certify(
    function: Callable[..., Tensor],
    inputs: Sequence[tuple[Tensor, Role]],
    output: Role,
    group: Group | None = None,
    elements: int = 20,
    dtype: torch.dtype | None = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Certificate:
    """Measure how well a function commutes with rotations, reflections, shifts and permutations.

    For random elements s of every symmetry the error is max |f(s x) - s f(x)| / max |f(x)|.
    Rotations, and reflections if the group has them, are drawn from the Haar measure of `group`.
    Translations are tested if an input is a position, and are about as large as the positions.
    Permutations reorder nodes and edges.

    Args:
        function: the function to test; it is called with the input tensors in order.
        inputs: pairs of a tensor and its Role.
        output: the Role of the tensor that the function returns.
        group: the group that acts on positions and fields; O(3) by default.
        elements: the number of random elements per symmetry.
        dtype: the precision of the test; by default that of the inputs. Floating-point inputs are
            cast to it, and so is a copy of the function if it is a module.
        tolerance: the largest error that passes; by default 1e-10 in float64 and 2e-5 in float32.
        seed: the seed of the random elements.
    """
    group = group or O3()
    generator = torch.Generator().manual_seed(seed)
    tensors = [
        tensor.to(dtype) if dtype and tensor.is_floating_point() else tensor for tensor, _ in inputs
    ]
    roles = [role for _, role in inputs]
    if dtype and isinstance(function, nn.Module):
        function = copy.deepcopy(function).to(dtype)
    precision = next(tensor.dtype for tensor in tensors if tensor.is_floating_point())
    with torch.no_grad():
        value = function(*tensors)
        checks = []
        for name, draw in _symmetries(group, tensors, roles, generator).items():
            trials = []
            for _ in range(elements):
                move = draw()
                images = [move(t, role) for t, role in zip(tensors, roles, strict=True)]
                error = _relative_error(function(*images), move(value, output), value)
                trials.append(Check(name, error, move.element))
            checks.append(max(trials, key=_size))
    limit = TOLERANCE.get(precision, 1e-2) if tolerance is None else tolerance
    return Certificate(
        group.name, str(precision).removeprefix("torch."), elements, limit, tuple(checks)
    )


def _size(check: Check) -> float:
    """The error of a check as a number that compares; NaN is the worst."""
    return float("inf") if math.isnan(check.error) else check.error


@dataclass(frozen=True)
class _Turn:
    """An element of the group."""

    matrix: Tensor

    @property
    def element(self) -> Any:
        return self.matrix.tolist()

    def __call__(self, x: Tensor, role: Role) -> Tensor:
        if role.is_position:
            return x @ self.matrix.to(x).T
        if role.field is not None:
            return x @ role.field.matrix(self.matrix).to(x).T
        return x


@dataclass(frozen=True)
class _Shift:
    """A translation."""

    vector: Tensor

    @property
    def element(self) -> Any:
        return self.vector.tolist()

    def __call__(self, x: Tensor, role: Role) -> Tensor:
        return x + self.vector.to(x) if role.is_position else x


@dataclass(frozen=True)
class _Reorder:
    """Permutations of nodes and edges: row k of the result is row order[k]."""

    order: dict[str, Tensor]

    @property
    def element(self) -> Any:
        return {rows: order.tolist() for rows, order in self.order.items()}

    def __call__(self, x: Tensor, role: Role) -> Tensor:
        if role.is_edge_index:
            # Node order[k] becomes node k: argsort inverts the permutation.
            new_number = torch.argsort(self.order["node"]).to(x.device)
            return new_number[x[:, self.order["edge"].to(x.device)]]
        order = self.order.get(role.rows)
        return x if order is None else x[order.to(x.device)]


def _symmetries(
    group: Group, tensors: list[Tensor], roles: list[Role], generator: torch.Generator
) -> dict[str, Callable[[], Any]]:
    """The symmetries that apply to these inputs, as functions that draw an element."""
    draws: dict[str, Callable[[], Any]] = {"group": lambda: _Turn(group.sample(1, generator)[0])}
    positions = [tensor for tensor, role in zip(tensors, roles, strict=True) if role.is_position]
    if positions:
        spread = float(positions[0].abs().max()) if positions[0].numel() else 1.0
        draws["translation"] = lambda: _Shift(
            spread * torch.randn(group.dim, generator=generator, dtype=torch.float64)
        )
    sizes = {
        role.rows: tensor.shape[1 if role.is_edge_index else 0]
        for tensor, role in zip(tensors, roles, strict=True)
        if role.rows != "graph"
    }
    if "node" in sizes:
        draws["permutation"] = lambda: _Reorder(
            {rows: torch.randperm(size, generator=generator) for rows, size in sizes.items()}
        )
    return draws


def _relative_error(actual: Tensor, expected: Tensor, reference: Tensor) -> float:
    if actual.shape != expected.shape:
        return float("inf")
    if not expected.numel():
        return 0.0
    scale = float(reference.abs().max())
    return float((actual - expected).abs().max()) / (scale if scale > 0 else 1.0)
