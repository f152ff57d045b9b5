import json

import numpy as np
import pytest
import torch

from steerable.deploy.features import FeatureReference, feature_reference, pooled_features
from steerable.models import build_qm9


def test_distances_are_those_of_mahalanobis_where_all_axes_are_kept():
    random = np.random.default_rng(0)
    features = random.normal(size=(300, 5)) @ random.normal(size=(5, 5))
    reference = FeatureReference.fit(features)
    offset = features - features.mean(0)
    inverse = np.linalg.inv(offset.T @ offset / len(features))
    expected = np.sqrt(np.einsum("ni,ij,nj->n", offset, inverse, offset))
    assert reference.distances(features) == pytest.approx(expected)


def test_far_structures_are_noted_and_the_reference_survives_json():
    features = np.random.default_rng(0).normal(size=(200, 40))
    reference = FeatureReference.fit(features)
    read = FeatureReference.read(json.loads(json.dumps(reference.as_dict())))
    assert read.notes(features) == [""] * 200
    assert read.notes(features[:1] * 20)[0].endswith("times as far as any of training")
    assert read.percentiles(features).max() == pytest.approx(100, abs=1)


def test_features_are_means_over_the_atoms_of_each_structure():
    model = build_qm9(
        [1, 8], hidden="4x0e+2x1o", layers=2, filter_channels=2, contraction="depthwise"
    ).eval()
    z, pos = torch.tensor([8, 1, 1, 8, 1]), torch.randn(5, 3)
    batch = torch.tensor([0, 0, 0, 1, 1])
    with pooled_features(model, batch) as pooled:
        model(z, pos, batch)
    with pooled_features(model, batch[:3]) as alone:
        model(z[:3], pos[:3], batch[:3])
    assert len(pooled[0]) == 2
    assert pooled[0][:1] == pytest.approx(alone[0], abs=1e-5)
    batches = [(z, pos, batch, None)] * 12
    reference = feature_reference(model, batches)
    assert reference is not None and len(reference.mean) == pooled[0].shape[1]
    assert feature_reference(model, batches[:2]) is None
    assert feature_reference(torch.nn.Linear(1, 1), []) is None
