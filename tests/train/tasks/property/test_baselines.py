import numpy as np
import pytest

from steerable.data.structures import Column, Target, find_target, target_values, to_structures
from steerable.train.tasks.property.baselines import by_composition, by_similarity, mean
from train.properties import molecules


@pytest.fixture
def parts():
    structures = to_structures(molecules(60))
    return structures.select(range(40)), structures.select(range(40, 60))


def test_the_mean(parts):
    train, test = parts
    target = find_target(train, "gap")
    values = target_values(train, target)
    assert np.allclose(mean(train, test, target), np.nanmean(values))
    assert mean(train, test, find_target(train, "dipole")).shape == (20, 3)
    assert mean(train, test, find_target(train, "charges")).shape == (len(test.z),)


def test_the_mean_of_classes_are_their_frequencies(parts):
    train, test = parts
    target = find_target(train, "kind")
    logits = mean(train, test, target)
    share = np.mean(train.columns["kind"].data == target.classes[0])
    assert np.exp(logits[0, 0]) == pytest.approx(share)
    assert np.exp(logits).sum(1) == pytest.approx(1)


def test_the_composition_explains_a_sum_over_atoms(parts):
    train, test = parts

    def sums(structures):
        return Column(np.array([(3.0 * z - 1).sum() for z in structures.numbers()]))

    train, test = train.with_columns({"y": sums(train)}), test.with_columns({"y": sums(test)})
    target = Target("y", is_extensive=True)
    assert np.allclose(by_composition(train, test, target), test.columns["y"].data)
    assert by_composition(train, test, Target("y", "vector")) is None


def test_similar_structures_have_similar_values(parts):
    train, test = parts

    def sums(structures):
        parts = np.split(structures.pos, structures.ends[1:-1])
        near = [np.linalg.norm(pos[:, None] - pos, axis=2) for pos in parts]
        return Column(np.array([np.exp(-distance).sum() for distance in near]))

    train, test = train.with_columns({"y": sums(train)}), test.with_columns({"y": sums(test)})
    target, values = Target("y", is_extensive=True), test.columns["y"].data
    error = np.abs(by_similarity(train, test, target) - values).mean()
    composition = np.abs(by_composition(train, test, target) - values).mean()
    assert error < 0.5 * composition
    assert by_similarity(train, test, Target("y", "vector")) is None
