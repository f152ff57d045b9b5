"""Simulate charged particles, learn their forces, certify the symmetry, and draw a rollout.

python examples/nbody.py            about two minutes
python examples/nbody.py --small    a few seconds, as a quick check
"""

import argparse
import json

from steerable.data import read_nbody
from steerable.report import draw_rollout
from steerable.train import NBodyConfig, NBodyData, NBodyFit, NBodyModel, fit, rollout

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument("--small", action="store_true", help="few systems and few steps")
options.add_argument(
    "--run", default="runs/nbody-example", help="folder to write, which must be new or empty"
)
asked = options.parse_args()

motion = read_nbody(
    "charged", (20, 5, 5) if asked.small else (1000, 200, 200)
)  # to train, validate and test on
config = NBodyConfig(
    data=NBodyData("charged", train=0, validation=0, test=0),  # all of them
    model=NBodyModel("pairs", steps=100),
    fit=NBodyFit(max_seconds=60),
    run=asked.run,
)
if asked.small:
    config.model = NBodyModel("messages", steps=2, hidden=8)
    config.fit = NBodyFit(epochs=2)

run = fit(config, motion)

metrics = json.loads((run / "metrics.json").read_text())
print(f"test MSE             {metrics['test']['mse']['value']:.4f}")
print(f"constant velocity    {metrics['baselines']['constant_velocity']['mse']['value']:.4f}")
print(f"equivariance error   {metrics['certificate']['equivariance_float64']:.1e} (float64)")

for path in draw_rollout(rollout(run, steps=1 if asked.small else 3, dataset=motion)):
    print(path)
