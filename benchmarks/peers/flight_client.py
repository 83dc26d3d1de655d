"""An Arrow Flight client; its first turn tries every batch size and keeps the best."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np
from pyarrow import flight

from benchmarks.peers.flight_server import ITEM_BYTES
from benchmarks.work import Action

TRIES = 3


def actions(
    *, address: str, total_bytes: int, batch_bytes: Sequence[int], into_array: bool
) -> dict[str, Action]:
    """Return what fetches the server's buffer.

    Args:
        address: of the server.
        total_bytes: the buffer's.
        batch_bytes: the batch sizes to try.
        into_array: whether to copy each batch into one array; otherwise batches stay as they came.
    """
    client = flight.connect(address)
    out = np.ones(total_bytes // ITEM_BYTES if into_array else 0, np.float32)

    def fetch_into_array(size: int) -> None:
        at = 0
        for chunk in client.do_get(flight.Ticket(b"%d" % size)):
            numbers = chunk.data.column(0).to_numpy()
            out[at : at + numbers.size] = numbers
            at += numbers.size
        _check(at * ITEM_BYTES, total_bytes)

    def fetch_batches(size: int) -> None:
        table = client.do_get(flight.Ticket(b"%d" % size)).read_all()
        _check(table.num_rows * ITEM_BYTES, total_bytes)

    fetch_size = fetch_into_array if into_array else fetch_batches
    best: list[int] = []

    def fetch() -> Mapping[str, float]:
        if not best:
            best.append(_quickest(fetch_size, batch_bytes))
        fetch_size(best[0])
        return {"batch_bytes": best[0]}

    return {"fetch": fetch}


def _quickest(fetch: Callable[[int], None], sizes: Sequence[int]) -> int:
    """Return the size with the shortest median, after one warm-up fetch for each."""
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        fetch(size)
    for _ in range(TRIES):
        for size in sizes:
            started = time.perf_counter()
            fetch(size)
            seconds[size].append(time.perf_counter() - started)
    return min(seconds, key=lambda size: median(seconds[size]))


def _check(received: int, expected: int) -> None:
    if received != expected:
        raise EOFError(f"{received} of {expected} bytes came")
