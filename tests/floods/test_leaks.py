"""What clients do leaves nothing, neither in the server nor in the clients."""

import json
from typing import Any

from tests.floods.program import program
from tests.floods.watcher import MORE_THREADS, State, Watcher
from tests.raw_calls import MIB
from tests.servers import ServerProcess
from tests.soak import IS_SOAK, scaled

CANCELS = scaled(1000, full=10_000)
LOAD_SECONDS = scaled(20, full=1800)


def _run(server: ServerProcess, name: str, amount: int, *, most_seconds: float) -> list[Any]:
    """Run a program that tells what it holds; return what more it tells.

    Fails unless it and the server hold as much as after the program's first round.
    """
    with program(name, server.address, str(amount)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with Watcher(server.process.pid) as watcher:
            told, _ = process.communicate("go\n", timeout=most_seconds)
    more: list[Any]
    before, after, *more = json.loads(told)
    client, left = State(*before), State(*after)
    settled = watcher.settled(memory=64 * MIB, files=0, threads=MORE_THREADS)
    print(
        f"client: {client}, after it {left}; "
        f"server: {watcher.before}, at most {watcher.most}, after it {settled}"
    )
    assert process.returncode == 0
    assert left.files <= client.files + 2
    assert left.threads <= client.threads + 2
    assert left.memory - client.memory < 64 * MIB
    assert settled.files <= watcher.before.files
    assert settled.threads <= watcher.before.threads + MORE_THREADS
    assert settled.memory - watcher.before.memory < 64 * MIB
    assert "Traceback" not in server.log
    return more


def test_cancels_leave_nothing_on_either_side(server: ServerProcess) -> None:
    (seconds,) = _run(server, "cancels", CANCELS, most_seconds=300 + CANCELS)
    print(f"{CANCELS} cancels in {seconds:.1f} s")


def test_a_mixed_load_leaves_nothing_on_either_side(server: ServerProcess) -> None:
    calls, errors = _run(server, "mixed_load", LOAD_SECONDS, most_seconds=300 + LOAD_SECONDS)
    print(f"{calls} calls in {LOAD_SECONDS} s")
    assert not errors
    assert calls > (10 * LOAD_SECONDS if IS_SOAK else 0)
