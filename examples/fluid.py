"""Learn the equations of water from films, by differential operators and by kernels of equal size.

python examples/fluid.py [--quick] [--figure fluid.png] [--gif fluid.gif]

Films are solutions of h_t = -div((H + h) v), v_t = -(v . grad) v - g grad h + nu Laplace v on a
periodic square. A network u_t = W(1, u) D u, within one Runge-Kutta step, learns to predict each
frame from the previous one. D are differential operators, or kernels, that commute with O(2), and W
is a matrix that depends on u at every point and is linear in its weights. The script prints the
errors of whole films, compared with those of the equations themselves on the same grid; the
equations that were learned, read from the weights; and how well a step commutes with rotations and
reflections.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import torch
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure
from torch.autograd.functional import jacobian
from torch.nn.functional import conv2d, pad

from steerable.convs import GridConv2d, GridPDO
from steerable.data.fluids import random_water, shallow_water
from steerable.field import Field
from steerable.filters import HarmonicFilter, Radial
from steerable.functions import exponents_up_to
from steerable.groups import O2, dihedral
from steerable.layers import Full, dense_kernel
from steerable.ops import grid_stencil

options = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
options.add_argument("--quick", action="store_true", help="a smaller square, and less training")
options.add_argument("--figure", type=Path, help="file to draw heights and errors in")
options.add_argument("--gif", type=Path, help="file to show the moving water in")
asked = options.parse_args()
points, waves, evaluations = (32, 1.0, 150) if asked.quick else (64, 1.5, 300)
STEPS, SPACING, INTERVAL = 50, 0.1, 0.05
DEPTH, GRAVITY, VISCOSITY = 1.0, 1.0, 0.05
water = Field.parse("0e+1", O2())


class Rate(torch.nn.Module):
    def __init__(self, layer, copies):
        super().__init__()
        hidden = Field.parse("0e+0o+1+2", O2()) * copies
        self.layer, self.coefficients = (
            layer(water, hidden),
            Full(water[:1] + water, 1, hidden, water),
        )

    def forward(self, u):
        return self.combine(u, self.layer(u))

    def combine(self, u, derived):
        """W(1, u) D u from u and D u."""
        matrices = dense_kernel(
            self.coefficients, torch.eye(4).to(u).unsqueeze(1)
        )  # W of 1, h, v_x, v_y
        parts = conv2d(derived, matrices.flatten(0, 1)[..., None, None]).unflatten(1, (4, 3))
        return (torch.cat([torch.ones_like(u[:, :1]), u], 1).unsqueeze(2) * parts).sum(1)

    def equations(self, jet):
        """The learned u_t as a function of u and its derivatives, as `true_equations`."""
        symbol = torch.from_numpy(self.layer.symbol().coefficients()).to(jet)
        derived = torch.einsum("moi,mi->o", symbol, jet)
        return self.combine(jet[0].view(1, 3, 1, 1), derived.view(1, -1, 1, 1)).flatten()


def true_equations(jet):
    """u_t from u, d_x u, d_y u, d_x^2 u, d_x d_y u, d_y^2 u (derivative, component, ...)."""
    u, u_x, u_y, u_xx, _, u_yy = jet
    height = -(DEPTH + u[:1]) * (u_x[1] + u_y[2])
    velocity = VISCOSITY * (u_xx + u_yy)[1:] - GRAVITY * torch.stack([u_x[0], u_y[0]])
    return torch.cat([height, velocity]) - u[1] * u_x - u[2] * u_y


def true_rate(u):
    """The equations with the stencils that GridPDO takes."""
    unit = torch.from_numpy(SPACING ** exponents_up_to(2, 2).sum(1)).unsqueeze(1)
    weight = (grid_stencil(2, 5, 2) / unit).to(u).view(6, 1, 5, 5)
    jets = conv2d(pad(u.flatten(0, 1).unsqueeze(1), [2] * 4, "circular"), weight).unflatten(
        0, u.shape[:2]
    )
    return true_equations(jets.movedim((2, 1), (0, 1))).movedim(0, 1)


def move(rate, u, steps):
    film = [u]
    for _ in range(steps):
        a = rate(u)
        b = rate(u + INTERVAL / 2 * a)
        c = rate(u + INTERVAL / 2 * b)
        u = u + INTERVAL / 6 * (a + 2 * b + 2 * c + rate(u + INTERVAL * c))
        film.append(u)
    return torch.stack(film, 1)


def learn(rate, before, after):
    optimizer = torch.optim.LBFGS(
        rate.parameters(), 1, evaluations, evaluations, 0, 0, 50, "strong_wolfe"
    )

    def loss():
        optimizer.zero_grad()
        error = (move(rate, before, 1)[:, 1] - after).square().mean() / (
            after - before
        ).square().mean()
        error.backward()
        return error

    optimizer.step(loss)
    rate.requires_grad_(False)


def relative(found, true):
    return float((found - true).norm() / true.norm())


def turning_error(rate, group):
    """How far a step amid waves is from commuting with a group, relative to the step.

    The elements of the group are random.
    """
    side = SPACING * torch.arange(-8, 9, dtype=torch.float64)  # as far as four rates see
    place = torch.stack(torch.meshgrid(side, side, indexing="ij"))
    wave, phase, size = (torch.randn(64, 4, n, dtype=torch.float64) for n in (2, 1, 3))

    def change(g):
        angle = torch.einsum("bwi,ixy->bwxy", 2 * wave @ g.T, place) + phase.unsqueeze(3)
        u = torch.einsum("bwc,bwxy->bcxy", 0.1 * size @ water.matrix(g).T, angle.cos())
        before, after = move(rate, u, 1).unbind(1)
        return (after - before)[:, :, 8, 8]

    alone = change(torch.eye(2, dtype=torch.float64))
    return max(relative(change(g), alone @ water.matrix(g).T) for g in group.sample(5))


torch.manual_seed(0)
films = random_water(8, points, seed=0, waves=waves)
films = shallow_water(films, STEPS + 1, INTERVAL, VISCOSITY, GRAVITY, DEPTH, points * SPACING)
seen, new = torch.from_numpy(films).float().split(4)
grid = {"padding_mode": "circular", "spacing": SPACING, "bias": False}
harmonics = HarmonicFilter(3, Radial(3 * SPACING, count=5), None, group=O2())
nets = {
    "operators": Rate(lambda a, b: GridPDO(a, b, order=2, kernel_size=5, **grid), copies=6),
    "kernels": Rate(
        lambda a, b: GridConv2d(a, b, harmonics, kernel_size=5, smoothing=0, **grid), copies=2
    ),
}
found = {
    "last frame": new[:, :1].expand_as(new),
    "true equations": move(true_rate, new[:, 0], STEPS),
}
for name, net in nets.items():
    began = time.perf_counter()
    learn(net, seen[:, [10, 35]].flatten(0, 1), seen[:, [11, 36]].flatten(0, 1))
    seconds, found[name] = time.perf_counter() - began, move(net, new[:, 0], STEPS)
    exact, near = (turning_error(net.double(), group) for group in (dihedral(4), O2()))
    print(
        f"{name}: {sum(p.numel() for p in net.parameters())} parameters, {seconds:.0f} s; "
        f"equivariance error {exact:.0e} under turns and reflections of the grid, {near:.0e} under "
        "any"
    )
errors = {
    name: [relative(film[:, k], new[:, k]) for k in range(STEPS + 1)]
    for name, film in found.items()
}
for name, error in errors.items():
    print(
        f"error after 1, 10 and {STEPS} steps, {name}: {error[1]:.3%}, {error[10]:.3%}, "
        f"{error[STEPS]:.3%}"
    )


def derivatives(f):
    """The first and second derivatives of a function of jets at 0, by the number of their axes."""
    first, zero = partial(jacobian, f, create_graph=True), torch.zeros(6, 3, dtype=torch.float64)
    return {3: first(zero), 5: jacobian(first, zero)}


# (equation, derivative and component of a factor, of the other) in the derivatives of u_t at 0
places = {
    "H div v": (0, 1, 1),
    "g grad h": (1, 1, 0),
    "nu d_x^2 v_x": (1, 3, 1),
    "nu d_y^2 v_x": (1, 5, 1),
    "h div v": (0, 0, 0, 1, 1),
    "(v . grad) h": (0, 0, 1, 1, 0),
    "(v . grad) v": (1, 0, 1, 1, 1),
}
tables = [derivatives(f) for f in (nets["operators"].equations, true_equations)]
for name, place in places.items():
    learned, true = (table[len(place)][place] for table in tables)
    print(f"coefficient of {name}: {learned:.4f}, true {true:.4f}, {learned / true - 1:+.2%}")


def write(path, save):
    """Let `save` write a file that takes its name when it is whole."""
    part = path.with_name(f".{path.name}")
    save(part)
    part.replace(path)


if asked.figure or asked.gif:
    figure = Figure(figsize=(15, 3), layout="constrained")
    *maps, curves = figure.subplots(1, 5)
    heights = {"height h of the water": new, "learned by operators": found["operators"]}
    heights |= {f"50 x error of {name}": 50 * (found[name] - new) for name in nets}
    heights = {name: film[0, :, 0].numpy() for name, film in heights.items()}
    highest, pictures = float(new[0, :, 0].abs().max()), []
    for axes, (name, film) in zip(maps, heights.items(), strict=True):
        pictures.append(axes.imshow(film[0], cmap="RdBu_r", vmin=-highest, vmax=highest))
        axes.set(title=name, xticks=[], yticks=[])
    for name, error in errors.items():
        curves.semilogy(range(1, STEPS + 1), error[1:], label=name)
    curves.set(title="relative error", xlabel="step")
    curves.legend(fontsize=7)

    def show(k):
        for picture, film in zip(pictures, heights.values(), strict=True):
            picture.set_data(film[k])

    def animate(path):
        writer = PillowWriter(fps=8)
        with writer.saving(figure, path, dpi=70):
            for k in range(0, STEPS + 1, 2):
                show(k)
                writer.grab_frame()
                figure.set_layout_engine("none")  # it is laid out once

    if asked.gif:
        write(asked.gif, animate)
    if asked.figure:
        show(STEPS)
        write(asked.figure, partial(figure.savefig, dpi=120))
