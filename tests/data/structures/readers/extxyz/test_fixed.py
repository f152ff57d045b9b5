import numpy as np
import pytest

from steerable.data.structures.readers.extxyz.fixed import read_fixed


def rows(numbers, form="%16.8f", symbols=("C", "Cl")):
    names = [symbols[k % len(symbols)] for k in range(len(numbers))]
    width = max(map(len, symbols))
    lines = [
        name.ljust(width) + "".join(" " + form % number for number in row)
        for name, row in zip(names, numbers, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("form", ["%16.8f", "%12.3f", "%19.10f", "%8d"])
def test_numbers_are_those_of_float(form):
    generator = np.random.default_rng(0)
    for scale in (1e-6, 1.0, 50.0):
        text = rows(generator.normal(size=(500, 4)) * scale, form)
        result = read_fixed(text, 4)
        words = text.decode().split()
        exact = np.stack([np.array(words[k::5], dtype=float) for k in range(1, 5)], 1)
        assert np.array_equal(result.numbers, exact)
        assert np.array_equal(np.signbit(result.numbers), np.signbit(exact))
        names = [name.strip() for name in result.symbols.astype(str)]
        assert names == words[::5]


@pytest.mark.parametrize(
    "text",
    [
        b"C 1.0\nC 10.0\n",  # of two lengths
        b"C 1.00\nC 10.0\n",  # of two points
        b"C 1e05\nC 2e05\n",
        b"C  1.0\nC 1 .0\n",
        b"C  1.0\nC --.0\n",
        b"C -1.0\nC 1-.0\n",
        b"C  1.0\nC  1. \n",
        b"C  1.0\nC  nan\n",
        b"C  1.0\n1  1.0\n",
        b"C  1.0\nC11.0 \n",
        b"6  1.0\n6  1.0\n",
        b"C  123456789012345678.0\n",  # more digits than float64 has
        b"C  1.0 2.0\n",
        b"C  .\n",
        b"C 200.12345678901234\n",
    ],
)
def test_other_rows_are_left_to_others(text):
    assert read_fixed(text, 1) is None


def test_spaces_at_the_end_and_windows_lines():
    result = read_fixed(b"C   1.5 -2.0 \r\nHe -0.5 12.0 \r\n", 2)
    assert result.numbers.tolist() == [[1.5, -2.0], [-0.5, 12.0]]
