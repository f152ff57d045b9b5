"""A run says in its metrics which figures it has."""

from dataclasses import asdict

from steerable.deploy.figures import CONFUSION, PARITY, FigureRecord, figures_of, predictions_file


def test_figures_are_read_as_they_are_written():
    written = (FigureRecord(PARITY), FigureRecord(CONFUSION, "kind", ("a", "b")))
    assert figures_of({"figures": [asdict(figure) for figure in written]}) == written
    assert figures_of({"figures": []}) == ()


def test_further_outputs_have_their_names_in_their_files():
    first, second = FigureRecord(PARITY), FigureRecord(PARITY, "energy")
    assert (first.table, first.picture) == ("predictions.csv", "parity.png")
    assert (second.table, second.picture) == ("predictions-energy.csv", "parity-energy.png")
    assert predictions_file("energy") == second.table


def test_runs_of_earlier_versions_have_one_figure():
    assert figures_of({"test": {"mae": {}}}) == (FigureRecord(PARITY),)
    classes = {"test": {"per_class": {"cone": {}, "torus": {}}}}
    assert figures_of(classes) == (FigureRecord(CONFUSION, classes=("cone", "torus")),)
