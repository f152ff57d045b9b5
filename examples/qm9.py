"""Learn a property of molecules, look at the result, and predict it for your own molecule.

python examples/qm9.py              about five minutes on two cores
python examples/qm9.py --small      a few seconds, as a quick check
"""

import argparse
import json

import torch
from ase.build import molecule

from steerable.train import DataConfig, FitConfig, ModelConfig, QM9Config, fit, load

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument("--small", action="store_true", help="few molecules and few steps")
options.add_argument(
    "--run", default="runs/qm9-example", help="folder to write, which must be new or empty"
)
asked = options.parse_args()

config = QM9Config(
    data=DataConfig(target="U0_atom", train=5000, validation=500, test=2000),
    model=ModelConfig(hidden="32x0e+16x1o+8x2e", layers=3, cutoff=5.0),
    fit=FitConfig(epochs=200, max_seconds=300, lr=2e-3),
    run=asked.run,
)
if asked.small:
    config.data = DataConfig(train=100, validation=20, test=20)
    config.model = ModelConfig(hidden="8x0e+4x1o", layers=1)
    config.fit = FitConfig(epochs=2)

run = fit(config)

metrics = json.loads((run / "metrics.json").read_text())
print(f"test MAE             {metrics['test']['mae']['value']:.3f} eV")
print(f"least squares        {metrics['baselines']['composition']['mae']['value']:.3f} eV")
print(f"equivariance error   {metrics['certificate']['equivariance_float64']:.1e} (float64)")

network, metadata = load(run)
water = molecule("H2O")
energy = network(torch.from_numpy(water.numbers).long(), torch.from_numpy(water.positions).float())
print(f"water                {energy.item():.3f} {metadata['units']['prediction']}")
