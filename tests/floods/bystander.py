"""A client that keeps the rules beside those that do not, in a process of its own.

It fetches all the time, checks every digest, and tells at its end how long its calls took and which
of them failed.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import seedbed as sb
from seedbed.spec.digests import digest_array
from tests.floods.program import program
from tests.floods.report import Report

CALL_SECONDS = 60.0

SPECS = [
    sb.TensorSpec("small", (1000,), "float32", sb.RandomUniform(seed=1)),
    sb.TensorSpec("large", (2**18,), "float32", sb.RandomNormal(seed=2)),
    sb.TensorSpec("matrix", (40, 70), "float32", sb.Orthogonal(seed=3)),
]


class Bystander:
    """The process, seen by the test.

    Args:
        process: it.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def wait_begun(self) -> None:
        """Return when its first calls were answered."""
        assert self._line() == "begun\n", "the good client did not begin"

    def report(self) -> Report:
        """Return how it was served since the last report, all of its kinds of calls ended."""
        assert self._process.stdin is not None
        self._process.stdin.write("report\n")
        self._process.stdin.flush()
        return Report(**json.loads(self._line()))

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def good_client(address: str, *, newcomers: bool = True) -> Iterator[Bystander]:
    """Yield a client that fetches from a server within the block.

    Args:
        address: of the server.
        newcomers: whether it opens new connections, too.
    """
    with program("bystander", address, *(["newcomers"] if newcomers else [])) as process:
        bystander = Bystander(process)
        bystander.wait_begun()
        yield bystander


def main(address: str, *, newcomers: bool) -> None:
    """Call all the time; print a report whenever a line comes by standard input."""
    wanted = threading.Semaphore(0)

    def read() -> None:
        for _ in sys.stdin:
            wanted.release()

    threading.Thread(target=read, daemon=True).start()
    with sb.connect("embedded:") as engine:
        digests = [engine.digest(spec) for spec in SPECS]
    with sb.connect(address) as client:
        calls = _calls(client, digests)
        if newcomers:
            calls.append(lambda: _call_anew(address, digests[0]))
        for call in calls:
            call()
        print("begun", flush=True)
        report = Report()
        while True:
            for call in calls:
                report.measure(call)
            if wanted.acquire(blocking=False):
                print(json.dumps(asdict(report)), flush=True)
                report = Report()


def _calls(client: sb.Client, digests: list[sb.Digest]) -> list[Callable[[], None]]:
    def check(index: int) -> None:
        data = client.sample(SPECS[index], timeout_seconds=CALL_SECONDS)
        assert digest_array(data) == digests[index]

    def check_digests() -> None:
        found = client.digest_all(sb.Manifest(SPECS), timeout_seconds=CALL_SECONDS)
        assert list(found.values()) == digests

    def describe() -> None:
        assert client.describe(SPECS[0], timeout_seconds=CALL_SECONDS).size_bytes == 4000

    return [*(lambda i=i: check(i) for i in range(len(SPECS))), check_digests, describe]


def _call_anew(address: str, digest: sb.Digest) -> None:
    with sb.connect(address) as client:
        data = client.sample(SPECS[0], timeout_seconds=CALL_SECONDS)
    assert digest_array(data) == digest


if __name__ == "__main__":
    main(sys.argv[1], newcomers="newcomers" in sys.argv[2:])
