"""Children of a process whose threads fetch all the time, begun by fork and by spawn.

    python -m tests.floods.children ADDRESS FORKED WORKERS SPAWNED

Prints as JSON how many there were of each kind, and everything that went wrong in them and in the
parent's threads.
"""

import asyncio
import faulthandler
import json
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import seedbed as sb
from seedbed import aio
from seedbed.spec.digests import Digest, Digester, digest_array
from tests.floods.mixed_load import MANIFEST, SPECS

AT_ONCE = 8
# A child that takes longer hangs; it says where.
CHILD_SECONDS = 180
SMALL, LARGE, MATRIX = SPECS[2], SPECS[4], SPECS[5]
# What each worker fetches, as those of a data loader do.
ITEMS_OF_WORKER = 5

Work = Callable[["Family"], None]


class Family:
    """What a parent and its children share: an address, a client of it, and the right digests.

    Args:
        address: of the server.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = sb.connect(address)
        with sb.connect("embedded:") as engine:
            self.digests = engine.digest_all(MANIFEST)

    def check(self, spec: sb.TensorSpec, client: sb.Client) -> None:
        """Fetch a tensor and compare its digest."""
        assert digest_array(client.sample(spec)) == self.digests[spec.name]


def _unary(family: Family) -> None:
    family.check(SMALL, family.client)


def _stream(family: Family) -> None:
    family.check(LARGE, family.client)


def _manifest(family: Family) -> None:
    for name, array in family.client.sample_all(MANIFEST).items():
        assert digest_array(array) == family.digests[name]


def _digests(family: Family) -> None:
    assert family.client.digest_all(MANIFEST) == family.digests


def _chunks(family: Family) -> None:
    digester = Digester("xxh3_128")
    for chunk in family.client.chunks(LARGE):
        digester.update(chunk.data)
    assert digester.digest() == family.digests[LARGE.name]


def _client_of_its_own(family: Family) -> None:
    with sb.connect(family.address) as client:
        client.wait_ready()
        family.check(MATRIX, client)


def _aio(family: Family) -> None:
    async def fetch() -> tuple[Digest, Digest]:
        async with aio.connect(family.address) as client:
            array, digest = await asyncio.gather(client.sample(LARGE), client.digest(LARGE))
        return digest_array(array), digest

    expected = family.digests[LARGE.name]
    assert asyncio.run(fetch()) == (expected, expected)


def _grandchild(family: Family) -> None:
    _unary(family)
    pid = _forked(_stream, family)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


WORK: dict[str, Work] = {
    "unary": _unary,
    "stream": _stream,
    "manifest": _manifest,
    "digests": _digests,
    "chunks": _chunks,
    "client of its own": _client_of_its_own,
    "aio": _aio,
    "grandchild": _grandchild,
}


def _say_where_it_hangs() -> None:
    """Let SIGALRM, which ends a process, show its threads first; also in children."""
    faulthandler.register(signal.SIGALRM, chain=True)


def _forked(work: Work, family: Family) -> int:
    """Fork a child that works and exits; return its process id."""
    if pid := os.fork():
        return pid
    signal.alarm(CHILD_SECONDS)
    try:
        work(family)
    except BaseException:  # noqa: BLE001  # a forked child must not run its parent's code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def fork_children(family: Family, count: int) -> list[str]:
    """Fork children, some at a time; return what went wrong."""
    running: dict[int, str] = {}
    wrong: list[str] = []

    def reap() -> None:
        pid, status = os.wait()
        kind = running.pop(pid)
        if code := os.waitstatus_to_exitcode(status):
            wrong.append(f"a forked child, {kind}, exited with {code}")

    kinds = list(WORK)
    for number in range(count):
        if len(running) == AT_ONCE:
            reap()
        kind = kinds[number % len(kinds)]
        running[_forked(WORK[kind], family)] = kind
    while running:
        reap()
    return wrong


# A data loader's workers get what they need before they are forked.
FAMILY: Family


def _item(number: int) -> str:
    """Return the digest of an item, fetched in a worker."""
    return str(digest_array(FAMILY.client.sample(SPECS[number % len(SPECS)])))


def fork_workers(family: Family, count: int) -> list[str]:
    """Let pools of workers fetch items with the parent's client, as data loaders do."""
    global FAMILY  # noqa: PLW0603  # it cannot be pickled
    FAMILY = family
    wrong: list[str] = []
    for first in range(0, count, AT_ONCE):
        workers = min(AT_ONCE, count - first)
        with multiprocessing.get_context("fork").Pool(workers) as pool:
            numbers = range(ITEMS_OF_WORKER * workers)
            found = pool.map_async(_item, numbers, chunksize=1).get(CHILD_SECONDS)
        expected = [str(family.digests[SPECS[number % len(SPECS)].name]) for number in numbers]
        if found != expected:
            wrong.append("a worker's array has other bits")
    return wrong


def _spawned(address: str, digest: str) -> None:
    _say_where_it_hangs()
    signal.alarm(CHILD_SECONDS)
    with sb.connect(address) as client:
        assert str(digest_array(client.sample(LARGE))) == digest


def spawn_children(family: Family, count: int) -> list[str]:
    """Spawn children, some at a time; return what went wrong."""
    context = multiprocessing.get_context("spawn")
    arguments = (family.address, str(family.digests[LARGE.name]))
    wrong: list[str] = []
    for first in range(0, count, AT_ONCE):
        children = [
            context.Process(target=_spawned, args=arguments)
            for _ in range(min(AT_ONCE, count - first))
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
        wrong += [f"a spawned child exited with {c.exitcode}" for c in children if c.exitcode]
    return wrong


@contextmanager
def fetching_threads(family: Family) -> Iterator[tuple[Counter[str], list[str]]]:
    """Yield what the parent's threads do meanwhile: how often, and what went wrong."""
    ended = threading.Event()
    counts: Counter[str] = Counter()
    wrong: list[str] = []

    def fetch(kind: str) -> None:
        try:
            while not ended.is_set():
                WORK[kind](family)
                counts[kind] += 1
        except Exception:  # noqa: BLE001  # reported by main
            wrong.append(f"the parent's {kind}: {traceback.format_exc()}")

    kinds = ("unary", "stream", "digests", "chunks")
    threads = [threading.Thread(target=fetch, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    try:
        yield counts, wrong
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def main(address: str, forked: int, workers: int, spawned: int) -> None:
    """Begin the children, and print what went wrong."""
    _say_where_it_hangs()
    family = Family(address)
    with family.client, fetching_threads(family) as (counts, wrong_in_parent):
        wrong = fork_children(family, forked)
        wrong += fork_workers(family, workers)
        wrong += spawn_children(family, spawned)
    print(json.dumps({"parent": counts, "wrong": wrong + wrong_in_parent}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
