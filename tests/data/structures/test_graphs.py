import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from steerable.data.structures import from_data


def graph(z, **attributes):
    return Data(z=torch.tensor(z), pos=torch.randn(len(z), 3), **attributes)


def test_quantities_of_structures_and_atoms():
    data = [
        graph(
            z,
            y=torch.arange(2.0)[None] + len(z),
            gap=torch.tensor(0.5),
            dipole=torch.ones(1, 3),
            alpha=torch.ones(1, 3, 3),
            x=torch.ones(len(z), 2),
            charges=torch.ones(len(z)),
            edge_index=torch.zeros(2, 4, dtype=torch.long),
            edge_attr=torch.zeros(4, 4),
            smiles="C",
            idx=torch.tensor([7]),
        )
        for z in ([8, 1, 1], [6], [1, 1])
    ]
    ours = from_data(data)
    assert ours.z.tolist() == [8, 1, 1, 6, 1, 1] and ours.sizes.tolist() == [3, 1, 2]
    assert np.allclose(ours.pos, torch.cat([one.pos for one in data]))
    shapes = {name: (ours.column(name).per, ours.column(name).shape) for name in ours.columns}
    assert shapes == {
        "y[0]": ("structure", ()),
        "y[1]": ("structure", ()),
        "gap": ("structure", ()),
        "dipole": ("structure", (3,)),
        "alpha": ("structure", (3, 3)),
        "x": ("atom", (2,)),
        "charges": ("atom", ()),
        "smiles": ("structure", ()),
        "idx": ("structure", ()),
    }
    assert ours.column("y[1]").data.tolist() == [4, 2, 3]
    assert ours.column("smiles").data.tolist() == ["C"] * 3
    assert ours.column("idx").data.tolist() == [7] * 3


def test_missing_attributes():
    one, two = graph([1, 1], y=torch.tensor([1.0])), graph([1, 1], forces=torch.ones(2, 3))
    ours = from_data([one, two])
    assert ours.column("y").missing.tolist() == [False, True]
    assert ours.column("forces").missing.tolist() == [True, True, False, False]


def test_crystals():
    one = graph([3, 9], cell=torch.eye(3)[None] * 4, pbc=torch.tensor([[True, True, False]]))
    ours = from_data([one, graph([1, 1]), graph([1], cell=torch.eye(3))])
    assert ours.cell.tolist()[0] == (np.eye(3) * 4).tolist()
    assert ours.pbc.tolist() == [[True, True, False], [False] * 3, [True] * 3]


def test_a_list_with_y_of_atoms():
    ours = from_data([graph([1, 1], y=torch.ones(2)), graph([8, 1, 1], y=torch.ones(3))])
    assert ours.column("y").per == "atom"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "got none"),
        ([Data(pos=torch.ones(2, 3))], r"graph 0 needs .* it has pos \(2, 3\)"),
        ([graph([1, 1], v=torch.ones(3)), graph([1, 1], v=torch.ones(4))], "v has values of"),
    ],
)
def test_what_cannot_be_read(data, words):
    with pytest.raises(ValueError, match=words):
        from_data(data)
