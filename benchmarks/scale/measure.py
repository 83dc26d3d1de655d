"""Measures the figures of the calculation that one machine can tell: core seconds of processes.

    python -m benchmarks.scale.measure

Prints a line for each, as ``--figure`` of ``python -m benchmarks.scale`` takes it. The server and
the client count their own processor time, so another load on the machine changes little.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np

import seedbed as sb
from benchmarks.servers import Server, seedbed_server

ROUNDS = 5
SHAPE = (2**17, 1024)
GIGABYTES = SHAPE[0] * SHAPE[1] * 2 / 1e9
CALLS = 300
LISTED = 5000
CONNECTIONS = 200
MILLISECONDS = 1e3

_SEEDS = count(1)


def main() -> int:
    """Measure, print, and return 0."""
    with tempfile.TemporaryDirectory() as folder:
        ca, arguments = certificates(Path(folder))
        with seedbed_server() as plain, seedbed_server(*arguments) as secured:
            tls = sb.Tls(ca=ca)
            server, client = streamed(plain, None)
            server_tls, client_tls = streamed(secured, tls)
            sampled = digested(plain)
            figures = {
                "sampling and digesting": sampled,
                "sampling and serving": server,
                "serving_tls": server_tls - server,
                "receiving": client,
                "receiving_tls": client_tls - client,
                "call": called(plain),
                "listed_tensor": listed(plain),
                "handshake": connected(secured, tls) - connected(plain, None),
            }
    for name, figure in figures.items():
        print(f"{name}={figure:.3g}")
    return 0


def certificates(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Write certificates; return the authority's file, and a server's arguments."""
    from tests.certificates import authority

    signing = authority("benchmarks")
    issued = signing.issue(folder, "server")
    arguments = ("--tls-cert", str(issued.cert), "--tls-key", str(issued.key))
    return signing.write(folder / "ca.crt"), arguments


def streamed(server: Server, tls: sb.Tls | None) -> tuple[float, float]:
    """Return core seconds a gigabyte of a stream, of the server and of its client."""
    out = np.ones(SHAPE, sb.Dtype.BFLOAT16.numpy)
    with sb.connect(server.address, tls=tls) as client:
        costs = list(rounds(server, lambda: client.sample(tensor(), out=out)))
    return tuple(median(each) / GIGABYTES for each in zip(*costs, strict=True))


def digested(server: Server) -> float:
    """Return the server's core seconds a gigabyte of which only the digest is sent."""
    with sb.connect(server.address) as client:
        costs = rounds(server, lambda: client.digest(tensor()))
        return median(of_server for of_server, _ in costs) / GIGABYTES


def called(server: Server) -> float:
    """Return the server's core milliseconds for a call of one known digest."""
    spec = sb.TensorSpec("one", (16, 16), "bfloat16", sb.GlorotNormal(seed=1))
    with sb.connect(server.address) as client:

        def calls() -> None:
            for _ in range(CALLS):
                client.digest(spec)

        costs = rounds(server, calls)
        return median(of_server for of_server, _ in costs) / CALLS * MILLISECONDS


def listed(server: Server) -> float:
    """Return the server's core milliseconds for each known digest of a long list."""
    initializer = sb.GlorotNormal(seed=1)
    model = sb.Manifest(
        sb.TensorSpec(f"layer.{i}", (16, 16), "bfloat16", initializer) for i in range(LISTED)
    )
    with sb.connect(server.address) as client:
        costs = rounds(server, lambda: client.digest_all(model))
        return median(of_server for of_server, _ in costs) / LISTED * MILLISECONDS


def connected(server: Server, tls: sb.Tls | None) -> float:
    """Return the server's core milliseconds for a new connection with one call on it."""
    spec = sb.TensorSpec("one", (16, 16), "bfloat16", sb.GlorotNormal(seed=1))

    def connections() -> None:
        for _ in range(CONNECTIONS):
            with sb.connect(server.address, tls=tls) as client:
                client.sample(spec)

    costs = rounds(server, connections)
    return median(of_server for of_server, _ in costs) / CONNECTIONS * MILLISECONDS


def tensor() -> sb.TensorSpec:
    """Return a tensor that nobody has asked for yet."""
    return sb.TensorSpec("w", SHAPE, "bfloat16", sb.RandomNormal(0.0, 1.0, seed=next(_SEEDS)))


def rounds(server: Server, work: Callable[[], object]) -> Iterator[tuple[float, float]]:
    """Yield the core seconds of the server and of this process for some work, several times."""
    work()  # connects, and fills caches
    for _ in range(ROUNDS):
        with spent(server) as seconds:
            work()
        yield seconds[0], seconds[1]


@contextmanager
def spent(server: Server) -> Iterator[list[float]]:
    """Yield a list that has the core seconds of the server and of this process afterwards."""
    seconds: list[float] = []
    before, own = server.process.cpu_times(), time.process_time()
    yield seconds
    after = server.process.cpu_times()
    of_server = after.user + after.system - before.user - before.system
    seconds += [of_server, time.process_time() - own]


if __name__ == "__main__":
    sys.exit(main())
