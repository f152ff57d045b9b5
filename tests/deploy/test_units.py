"""Numbers are expressed in other units where these are of the same kind."""

import pytest

from steerable.deploy.units import UnitError, check_units, convert, converted

# Conversions of CODATA 2018, written out by hand.
KNOWN = [
    ("eV", "meV", 1000.0, "meV"),
    ("eV", "kcal/mol", 23.060548, "kcal/mol"),
    ("kcal/mol", "kJ/mol", 4.184, "kJ/mol"),
    ("Ha", "eV", 27.211386, "eV"),
    ("eV/Angstrom", "meV", 1000.0, "meV/Angstrom"),
    ("Ha/a0", "eV/Angstrom", 51.422067, "eV/Angstrom"),
    ("eV/atom", "meV", 1000.0, "meV/atom"),
    ("a0^3", "Angstrom^3", 0.1481847, "Angstrom^3"),
    ("e Angstrom", "D", 4.803205, "D"),
    ("eV/Angstrom^3", "GPa", 160.217663, "GPa"),
]


@pytest.mark.parametrize(("unit", "wanted", "factor", "named"), KNOWN)
def test_conversions(unit, wanted, factor, named):
    assert convert(unit, wanted) == (pytest.approx(factor, rel=1e-6), named)


@pytest.mark.parametrize(
    ("unit", "wanted"), [("D", "meV"), ("length^2", "nm"), ("%", "eV"), ("eV", None), ("", "eV")]
)
def test_numbers_of_another_kind_stay(unit, wanted):
    assert convert(unit, wanted) == (1.0, unit)


def test_a_number_with_its_unit_is_converted():
    assert converted({"value": 0.5, "unit": "eV"}, "meV") == {"value": 500.0, "unit": "meV"}


def test_units_that_make_no_sense_are_refused():
    check_units("meV", ["%", "eV"])
    check_units("D", ["D"])
    check_units(None, ["D"])
    with pytest.raises(UnitError, match="no unit 'mev'; there are eV, meV, kcal/mol"):
        check_units("mev", ["eV"])
    with pytest.raises(UnitError, match="Nothing here can be expressed in meV: it is in D, %"):
        check_units("meV", ["D", "%", "D"])
