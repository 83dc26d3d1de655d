"""Row 12: what a second process gives a server with several clients."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.checkouts import ROOT, Checkouts
from benchmarks.result import OURS, Result
from benchmarks.servers import Server, seedbed_server
from benchmarks.sizes import Sizes
from benchmarks.turns import Contest
from benchmarks.worker import Worker

CLIENTS = 4
WORKERS = 2
COLUMNS = 1024
ITEM_BYTES = 4


class Clients:
    """Clients that do the same at the same time."""

    def __init__(self, clients: Sequence[Worker]) -> None:
        self._clients = clients

    def actions(self) -> frozenset[str]:
        """Return what all can do."""
        return frozenset.intersection(*(client.actions() for client in self._clients))

    def run(self, action: str) -> dict[str, float]:
        """Let all do it, and return the seconds until the last was done."""
        started = time.perf_counter()
        for client in self._clients:
            client.ask(action)
        for client in self._clients:
            client.answer()
        return {"seconds": time.perf_counter() - started}


def two_beside_one(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 12: the bytes that all clients get in a second from two workers, beside one.

    Each client connects anew in each turn, since the kernel gives a connection to a worker for
    good.
    """
    with ExitStack() as stack, Contest() as contest:
        servers = [(name, checkout, WORKERS) for name, checkout in checkouts.items()]
        for name, checkout, workers in (*servers, (f"{OURS}, 1 worker", ROOT, 1)):
            server = stack.enter_context(seedbed_server(workers=workers, checkout=checkout))
            clients = [_client(sizes, server, checkout) for _ in range(CLIENTS)]
            contest.add(name, Clients([stack.enter_context(client) for client in clients]))
        turns = contest.turns("reconnect and fetch", rounds)
    yield Result(
        row=12,
        title=f"{CLIENTS} clients, {WORKERS} workers over 1",
        unit="GB/s",
        higher_is_better=True,
        samples=turns.rates(CLIENTS * sizes.client_bytes / 1e9),
        absent=turns.absent,
    )


def _client(sizes: Sizes, server: Server, checkout: Path) -> Worker:
    shape = (sizes.client_bytes // ITEM_BYTES // COLUMNS, COLUMNS)
    settings = {"address": server.address, "shape": shape, "has_array": True}
    return Worker("seedbed_client", settings, checkout=checkout)
