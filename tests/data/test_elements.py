from ase.data import atomic_numbers, chemical_symbols

from steerable.data.elements import NUMBERS, SYMBOLS


def test_symbols_are_those_of_ase():
    assert list(SYMBOLS) == chemical_symbols
    assert atomic_numbers == NUMBERS
