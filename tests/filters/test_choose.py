"""Which filter is chosen, and how to force one."""

import pytest

from steerable import Field
from steerable.convs.points.point_conv import PointConv
from steerable.filters import HarmonicFilter, ImplicitFilter, choose_filter, is_harmonic
from steerable.groups import O2, O3, SO2, SO3, axial, cyclic, dihedral, irreps, point_group


def fields(group):
    """A scalar and a vector, and all that harmonics up to degree 2 hold."""
    vector = Field.parse(
        "1x0e+1x1o" if group.dim == 3 else "1x0e+1x1", O3() if group.dim == 3 else O2()
    )
    return vector.restrict(group).field, Field(
        group, tuple((1, irrep) for irrep in irreps(group, 2))
    )


@pytest.mark.parametrize(
    ("group", "attributes", "chosen"),
    [
        (O3(), "", HarmonicFilter),
        (SO3(), "3x0", HarmonicFilter),
        (O2(), "2x0e", HarmonicFilter),
        (SO2(), "", HarmonicFilter),
        (O3(), "1x1o", ImplicitFilter),
        (O3(), "1x0o", ImplicitFilter),
        (SO2(), "1x1", ImplicitFilter),
        (axial("Cinf"), "2x0", ImplicitFilter),
        (cyclic(4), "", ImplicitFilter),
        (dihedral(6), "", ImplicitFilter),
        (point_group("Oh"), "", ImplicitFilter),
    ],
)
def test_the_rule_and_how_to_force_one(group, attributes, chosen):
    attributes, (field, wanted) = Field.parse(attributes, group), fields(group)
    filter = choose_filter(wanted, 2.0, attributes, channels=3, hidden=2, layers=2)
    assert type(filter) is chosen and is_harmonic(group, attributes) == (chosen is HarmonicFilter)
    assert filter.channels == 3 and filter.attributes == attributes
    assert set(wanted) <= set(filter.field) | {
        t for t in wanted if t.irrep.name in ("0o", "1e", "2o")
    }
    PointConv(field, field, filter)
    assert type(choose_filter(wanted, 2.0, attributes, solution="implicit")) is ImplicitFilter
    if attributes.is_invariant:
        assert type(choose_filter(wanted, 2.0, attributes, solution="harmonic")) is HarmonicFilter
    else:
        with pytest.raises(
            ValueError,
            match="A HarmonicFilter takes invariant attributes; got .* Use ImplicitFilter",
        ):
            choose_filter(wanted, 2.0, attributes, solution="harmonic")


def test_another_solution():
    with pytest.raises(
        ValueError, match="solution is one of auto, harmonic, implicit; got 'analytic'"
    ):
        choose_filter("0e+1o", 2.0, solution="analytic")
