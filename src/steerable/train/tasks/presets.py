"""Settings that are known to work well."""

from __future__ import annotations

from .qm9 import DataConfig, FitConfig, ModelConfig, QM9Config


def demo(run: str = "runs/qm9-demo") -> QM9Config:
    """5,000 molecules and at most 270 s of training: what `steerable demo` runs.

    One thread: on two free cores two are 1.4 times faster, but beside any other busy program
    several times slower.
    """
    return QM9Config(
        data=DataConfig(target="U0_atom", split="n", train=5000, validation=500, test=2000),
        model=ModelConfig(hidden="32x0e+16x1o", layers=3, cutoff=4.0, filter_field="0e+1o"),
        fit=FitConfig(
            epochs=200,
            max_seconds=270.0,
            batch_size=32,
            lr=3e-3,
            warmup_steps=200,
            ema_decay=0.995,
            threads=1,
        ),
        run=run,
    )
