"""Where features, results and weights of a contraction lie, against slices by hand."""

import torch

from steerable.layers.path_layout import Copies, Path, PathLayout, Sizes, TermOut

# 3 scalars and 2 vectors to 1 scalar, 2 vectors, what no path makes, and 1 more vector.
LAYOUT = PathLayout(
    inputs=(Copies(3, 1, 0), Copies(2, 3, 1)),
    outputs=(Copies(1, 1, 0), Copies(3, 3, 1)),
    terms_out=(
        TermOut(0, 0, 1, 1),
        TermOut(1, 0, 2, 3),
        TermOut(None, 0, 2, 5),
        TermOut(1, 2, 1, 3),
    ),
    paths=(
        Path(0, slice(0, 1), 0, 3),
        Path(0, slice(1, 4), 1, 3),
        Path(1, slice(0, 1), 1, 2),
        Path(1, slice(1, 4), 0, 2),
    ),
    filter_dim=4,
)


def test_features_are_split_by_term():
    x = torch.arange(18.0).view(2, 9)
    scalars, vectors = LAYOUT.split(x)
    assert scalars.tolist() == [[[0, 1, 2]], [[9, 10, 11]]]
    assert vectors[0].T.tolist() == [[3, 4, 5], [6, 7, 8]]
    assert vectors[1, :, 1].tolist() == [15, 16, 17] and vectors.is_contiguous()


def test_results_are_joined_to_terms_and_parted_again():
    scalar, vectors = torch.randn(2, 1, 1), torch.randn(2, 3, 3)
    y = LAYOUT.join([scalar, vectors])
    assert y.shape == (2, LAYOUT.width) == (2, 20)
    expected = [scalar[:, :, 0], vectors[..., 0], vectors[..., 1], torch.zeros(2, 10)]
    assert y.equal(torch.cat([*expected, vectors[..., 2]], 1))
    parts = LAYOUT.part(y)
    assert parts[0].equal(scalar) and parts[1].equal(vectors)


def test_sizes_and_places_of_paths():
    assert LAYOUT.sizes == (
        Sizes(1, 1, 1, 3, 1),
        Sizes(3, 1, 3, 3, 3),
        Sizes(1, 3, 3, 2, 3),
        Sizes(3, 3, 1, 2, 1),
    )
    assert LAYOUT.places([3, 3, 2, 2]) == [slice(0, 3), slice(0, 3), slice(3, 5), slice(3, 5)]
    assert LAYOUT.totals([3, 3, 2, 2]) == [5, 5]


def test_the_text_is_the_layout():
    other = PathLayout.from_text(LAYOUT.as_text())
    assert other is PathLayout.from_text(LAYOUT.as_text())
    names = ("inputs", "outputs", "terms_out", "paths", "filter_dim", "sizes", "width")
    assert all(getattr(other, name) == getattr(LAYOUT, name) for name in names)
