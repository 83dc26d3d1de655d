"""A client of a seedbed-server, as a user writes it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import seedbed as sb
from benchmarks.peers.latencies import latencies
from benchmarks.work import Action

PAGE_BYTES = 4096


def actions(
    *,
    address: str,
    shape: Sequence[int],
    dtype: str = "float32",
    initializer: str = "GlorotUniform",
    has_array: bool = False,
    calls: int = 1,
    ca: str | None = None,
) -> dict[str, Action]:
    """Return what fetches one tensor in several ways.

    Args:
        address: of the server.
        shape: the tensor's.
        dtype: its type.
        initializer: what fills it.
        has_array: whether there is a preallocated array for it; without one, every page of the
            result is touched.
        calls: in one turn of ``latency``.
        ca: the file of who signed the server's certificate; None is a plain connection.
    """
    tls = sb.Tls(ca=ca) if ca is not None else None
    client = sb.connect(address, tls=tls)
    seeds = itertools.count(1)
    out = np.ones(tuple(shape), dtype) if has_array else None
    stalled: list[Iterator[Any]] = []

    def spec() -> sb.TensorSpec:
        # Another tensor each time: nothing that anybody keeps may help.
        return sb.TensorSpec("w", tuple(shape), dtype, sb.get(initializer), seed=next(seeds))

    def fetch() -> Mapping[str, float]:
        array = client.sample(spec(), out=out)
        if out is None:
            _touch(array)
        return {"is_mapped": not array.flags.owndata}

    def reconnect_and_fetch() -> None:
        with sb.connect(address, tls=tls) as other:
            other.sample(spec(), out=out)

    def drop() -> None:
        for _ in client.chunks(spec()):
            pass

    def stall() -> None:
        stalled.append(client.chunks(spec()))
        next(stalled[-1])

    return {
        "fetch": fetch,
        "reconnect and fetch": reconnect_and_fetch,
        "drop": drop,
        "stall": stall,
        "latency": latencies(spec, client.sample, calls),
    }


def _touch(array: NDArray[Any]) -> None:
    """Read a number from every page, so that it is there."""
    array.reshape(-1).view(np.uint8)[::PAGE_BYTES].max()
