"""The asyncio client of a seedbed-server, as a user writes it."""

import asyncio
import itertools
from collections.abc import Sequence

import numpy as np

import seedbed as sb
from benchmarks.work import Action


def actions(*, address: str, shape: Sequence[int]) -> dict[str, Action]:
    """Return what fetches one tensor of float32 into a preallocated array.

    Args:
        address: of the server.
        shape: the tensor's.
    """
    loop = asyncio.Runner()
    client = sb.aio.connect(address)
    seeds = itertools.count(1)
    out = np.ones(tuple(shape), np.float32)

    def fetch() -> None:
        spec = sb.TensorSpec("w", out.shape, "float32", sb.get("GlorotUniform"), seed=next(seeds))
        loop.run(client.sample(spec, out=out))

    return {"fetch": fetch}
