"""Arrays in the idx format of the MNIST files, plain or compressed by gzip."""

import gzip
import math
from pathlib import Path

import numpy as np

__all__ = ["read_idx"]

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path | str) -> np.ndarray:
    """Read the array of an idx file.

    The format is: two zero bytes, the type, the number of axes, their lengths, then the numbers.

    Args:
        path: the file, NAME or NAME.gz.

    Raises:
        ValueError: it is not an idx file, or has fewer or more numbers than it declares.
    """
    path = Path(path)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise ValueError(f"{path} cannot be read ({error}): give the file as published.") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or len(data) < 4 + 4 * data[3]:
        raise ValueError(
            f"{path} is no idx file (it begins with {data[:4].hex(' ') or 'nothing'})."
        )
    kind, start = np.dtype(_TYPES[data[2]]), 4 + 4 * data[3]
    shape = tuple(np.frombuffer(data[4:start], ">i4").tolist())
    if len(data) - start != math.prod(shape) * kind.itemsize:
        raise ValueError(
            f"{path} has {len(data) - start} bytes of numbers, and its shape {shape} needs "
            f"{math.prod(shape) * kind.itemsize}: it is damaged, download it again."
        )
    return np.frombuffer(data, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
