"""Clients of the SDK from an address of their own, each a process with several threads.

All of 127.0.0.0/8 is this machine, so a server takes each of its addresses for another client.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

import seedbed as sb
from tests.floods.program import program
from tests.floods.report import Report

# Each call asks for a tensor of its own: the server samples one that several read only once.
SHAPE = (1024, 1024)


def run_peers(
    address: str, *, sources: Sequence[str], threads: int, seconds: float
) -> list[Report]:
    """Let every source call for a while; return how each was served.

    Args:
        address: of the server.
        sources: the addresses.
        threads: how many calls each has under way.
        seconds: how long calls are begun.
    """
    with ExitStack() as stack:
        processes = [
            stack.enter_context(program("peers", address, source, str(threads), str(seconds)))
            for source in sources
        ]
        return [Report(**json.loads(process.communicate()[0])) for process in processes]


def come_from(source: str) -> None:
    """Let all sockets of this process connect from an address."""

    class Bound(socket.socket):
        def _bind(self) -> None:
            if self.family == socket.AF_INET and not self.getsockname()[1]:
                self.bind((source, 0))

        def connect(self, address: Any) -> None:
            self._bind()
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            self._bind()
            return super().connect_ex(address)

    socket.socket = Bound  # type: ignore[misc]


def main(address: str, source: str, threads: int, seconds: float) -> None:
    """Fetch by several threads until the time is over, and print the report."""
    come_from(source)
    end = time.monotonic() + seconds
    reports = [Report() for _ in range(threads)]

    def fetch_all(index: int) -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            spec = sb.TensorSpec(
                f"{source}/{index}/{number}", SHAPE, "float32", sb.RandomNormal(seed=1)
            )
            reports[index].measure(partial(client.sample, spec))

    with sb.connect(address) as client:
        pool = [threading.Thread(target=fetch_all, args=(i,)) for i in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
    print(json.dumps(asdict(Report.of(reports))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
