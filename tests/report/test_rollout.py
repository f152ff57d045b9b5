"""Figures of rollouts are pictures and films, whole or not there."""

import numpy as np
import pytest
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.image import imread
from PIL import Image

from steerable.report.rollout import conserved, draw_rollout, motion


def table(frames=6, known=4, particles=3):
    generator = np.random.default_rng(0)
    time = np.arange(frames) / 2
    position = generator.normal(size=(1, particles, 3)) + time[:, None, None] * generator.normal(
        size=(particles, 3)
    )
    kept = {"energy": np.linspace(1, 1.1, frames), "momentum": generator.normal(size=(frames, 3))}
    kept["angular_momentum"] = np.ones((frames, 3))
    found = {"time": time, "position": position, "velocity": position} | kept
    true = {f"true_{name}": value[:known] for name, value in found.items()}
    found["scale"] = np.array([1.0, 2.0, 0.0])
    texts = {"title": "charged, test system 0", "length": "AU", "clock": "day"}
    return found | true | {name: np.array(text) for name, text in texts.items()}


@pytest.fixture
def trajectory(tmp_path):
    path = tmp_path / "trajectory.npz"
    np.savez(path, allow_pickle=False, **table())
    return path


def test_a_rollout_has_a_film_and_a_figure(trajectory):
    film, figure = draw_rollout(trajectory)
    assert sorted(path.name for path in trajectory.parent.iterdir()) == [
        "conserved.png", "motion.gif", "trajectory.npz",
    ]  # fmt: skip
    assert imread(figure).std() > 0.05
    with Image.open(film) as frames:
        assert frames.n_frames == 6
        first = np.asarray(frames.convert("RGB"), dtype=float)
        frames.seek(5)
        assert np.abs(np.asarray(frames.convert("RGB")) - first).max() > 50


def test_a_long_film_skips_frames(tmp_path, monkeypatch):
    monkeypatch.setattr("steerable.report.rollout.LONGEST", 4)
    with Image.open(motion(table(frames=9), tmp_path / "motion.gif")) as frames:
        assert frames.n_frames == 4


def test_the_inner_half_is_drawn_once_more_where_others_are_far_out(tmp_path):
    near = table(frames=2, known=2)
    far = {
        name: np.concatenate([near[name], 50 + near[name][:, :1]], 1)
        for name in ("position", "true_position")
    }
    widths = []
    for name, found in (("near", near), ("far", near | far)):
        with Image.open(motion(found, tmp_path / f"{name}.gif")) as frames:
            widths.append(frames.width)
    assert widths == [520, 1040]


def test_what_is_exactly_conserved_and_known_at_the_start_alone_has_a_figure(tmp_path):
    still = table(known=1)
    still |= {
        name: np.ones_like(value)
        for name, value in still.items()
        if "energy" in name or "momentum" in name
    }
    assert conserved(still, tmp_path / "conserved.png").is_file()


def test_a_film_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(PillowWriter, "finish", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        motion(table(), tmp_path / "motion.gif")
    assert list(tmp_path.iterdir()) == []


def test_another_kind_of_film(trajectory, monkeypatch):
    with pytest.raises(ValueError, match="A film is one of gif, mp4; got 'avi'"):
        draw_rollout(trajectory, "avi")
    monkeypatch.setattr(FFMpegWriter, "isAvailable", lambda: False)
    with pytest.raises(
        ValueError, match="An mp4 is made by the program ffmpeg and it is not there: install it, or"
    ):
        draw_rollout(trajectory, "mp4")
