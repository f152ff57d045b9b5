"""Sets of random elements, some of them empty, in a batch."""

import torch

BATCH = torch.tensor([2, 0, 0, 2, 2, 4, 0, 2, 5, 5])  # sets 1 and 3 are empty
PTR = torch.tensor([0, 3, 3, 7, 7, 8, 10])


def rows(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def shuffled(x, batch, seed=0):
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    return x[order], batch[order]
