import pytest
import torch
from torch_geometric.data import Batch

from steerable.data.molecules.molecules import gather
from steerable.ops import radius_graph


def test_a_batch_is_that_of_pyg_with_a_radius_graph(molecules):
    chosen = torch.tensor([3, 0, 11])
    batch = gather(molecules, range(20), 12, cutoff=2.5).batch(chosen)
    expected = Batch.from_data_list([molecules[i] for i in chosen])
    assert torch.equal(batch.z, expected.z)
    assert torch.equal(batch.pos, expected.pos)
    assert torch.equal(batch.batch, expected.batch)
    assert torch.equal(batch.edge_index, radius_graph(expected.pos, 2.5, expected.batch))
    assert torch.equal(batch.y, expected.y[:, 12].double())


def test_float64_targets_are_preferred(molecules):
    class Exact(list):
        targets = torch.full((len(molecules), 19), 1 / 3, dtype=torch.float64).numpy()

    assert gather(Exact(molecules), [4], 12, 5.0).y.item() == 1 / 3


def test_molecules_without_edges_have_batches(molecules):
    batch = gather(molecules, range(3), 12, cutoff=1e-3).batch(torch.arange(3))
    assert batch.edge_index.shape == (2, 0)


def test_numbers_come_a_molecule_each(molecules):
    found = gather(molecules, [5, 2], 12, 5.0).numbers()
    assert [z.tolist() for z in found] == [molecules[5].z.tolist(), molecules[2].z.tolist()]


def test_a_value_that_is_no_number_is_refused(molecules):
    broken = [data.clone() for data in molecules]
    broken[7].y[0, 12] = float("nan")
    with pytest.raises(ValueError, match="Molecule 7 has no finite value of property 12"):
        gather(broken, [3, 7], 12, 5.0)


def test_positions_that_are_no_numbers_are_refused(molecules):
    broken = [data.clone() for data in molecules]
    broken[1].pos[0, 0] = float("inf")
    with pytest.raises(ValueError, match="finite"):
        gather(broken, [0, 1], 12, 5.0)
