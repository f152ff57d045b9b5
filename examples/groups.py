"""How harmonics decompose under a point group, and what one filter looks like under four groups.

python examples/groups.py [--group Oh] [--figure groups.png]
"""

import argparse

import torch
from matplotlib.figure import Figure

from steerable.field import invariant_field
from steerable.filters import ImplicitFilter
from steerable.groups import Harmonic, Product, decompose, named_group, point_group

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument(
    "--group", default="Oh", help="a point group by its Schoenflies or Hermann-Mauguin name"
)
options.add_argument("--figure", default="groups.png", help="file to draw the filters in")
asked = options.parse_args()

group = point_group(asked.group)
irreps = group.irreps(12)
print(
    f"{group}: order {group.order}, irreps " + ", ".join(f"{r.name} (dim {r.dim})" for r in irreps)
)
for degree in range(7):
    parts = [irrep.name for irrep, _ in decompose(Harmonic(group, degree, (-1) ** degree))]
    print(f"  l = {degree}  ->  {' + '.join(sorted(parts, key=int))}")
square = [irrep.name for irrep, _ in decompose(Product(irreps[-1], irreps[-1]))]
print(f"  {irreps[-1].name} (x) {irreps[-1].name}  =  {' + '.join(sorted(square, key=int))}")

figure = Figure(figsize=(12, 3.4), layout="constrained")
side = torch.linspace(-2, 2, 81)
plane = torch.stack(
    [*torch.meshgrid(side, side, indexing="xy"), torch.full((81, 81), 0.6)], -1
).view(-1, 3)
for axes, name in zip(figure.subplots(1, 4), ["O(3)", "Cinfv", "C3v", "D4"], strict=True):
    torch.manual_seed(1)
    chosen = named_group(name)
    invariant = invariant_field(chosen, 1)
    filter = ImplicitFilter(
        invariant, cutoff=2.2, channels=1, hidden=6, max_degree=4, activation="product"
    ).double()
    with torch.no_grad():
        image = filter(plane.double()).view(81, 81)
        turned = filter(plane.double() @ chosen.sample(1)[0].T).view(81, 81)
    change = (image - turned).abs().max() / image.abs().max()
    print(f"filter of {name}: relative change under a random element {change:.0e}")
    scale = float(image.abs().max())
    axes.imshow(
        image.numpy(), extent=(-2, 2, -2, 2), origin="lower", cmap="RdBu_r", vmin=-scale, vmax=scale
    )
    axes.set(title=name, xlabel="x", ylabel="y")
figure.suptitle("An invariant implicit filter in the plane z = 0.6, random weights")
figure.savefig(asked.figure, dpi=120)
print(f"filters drawn in {asked.figure}")
