"""Ctrl-C in the middle of a call of the SDK: nothing is left behind, and nobody goes on writing."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

import seedbed as sb
from seedbed.client import Client
from seedbed.spec.digests import Digest
from seedbed.transports.base import embedded_transport
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.connection import Connection
from seedbed.transports.http2.connections import Connections
from seedbed.transports.mapping import map_segment
from seedbed.transports.ranged_fetch import RangedFetch
from seedbed.transports.tries import Tries
from seedbed.transports.try_limits import AMONG_REPLICAS
from seedbed.transports.watched import LOOK_SECONDS, Watched
from seedbed.wire.protos import segment_to_bytes
from seedbed_server import embedded
from seedbed_server.backends.base import SamplingCancelledError
from tests.http2_calls import call_of, connections_to, messages_of
from tests.http2_server import Exchange, scripted_server
from tests.left_open import nothing_left_open

SOON_SECONDS = 30.0


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def open_files() -> list[str]:
    return sorted(each.name for each in Path("/proc/self/fd").iterdir())


def interrupted_after(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is interrupted as it returns, so that its result is lost."""

    def call(*arguments: Any, **options: Any) -> Any:
        result = function(*arguments, **options)
        interrupt()
        return result

    return call


class Slow:
    """What samples until it is told to stop."""

    plan = SimpleNamespace(dtype=SimpleNamespace(itemsize=4))
    under_way: ClassVar[list[int]] = []

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def fill(self, first: int, out: object) -> None:
        self.under_way.append(first)
        is_cancelled = self.cancelled.wait(SOON_SECONDS)
        self.under_way.remove(first)
        if is_cancelled:
            raise SamplingCancelledError

    def cancel(self) -> None:
        self.cancelled.set()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_no_thread_of_the_engine_writes_after_an_interrupt(
    at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit, calls = ThreadPoolExecutor.submit, []

    def submit_and_interrupt(*arguments: Any) -> Any:
        job = submit(*arguments)
        calls.append(job)
        if len(calls) == at:
            interrupt()
        return job

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_and_interrupt)
    source: Any = Slow()
    with pytest.raises(KeyboardInterrupt):
        embedded._fill(source, np.empty(3 * embedded.TASK_BYTES, np.uint8), lambda _: None)
    assert len(calls) == at
    assert not Slow.under_way
    assert all(job.done() for job in calls)


def test_a_second_interrupt_does_not_let_a_thread_of_the_engine_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[object] = []

    def interrupted_wait(tasks: Any) -> None:
        interrupt()
        waited.append([job.exception() for job in tasks if not job.cancelled()])

    monkeypatch.setattr(embedded, "wait", interrupted_wait)
    monkeypatch.setattr(Slow, "fill", lambda *_: 1 / 0)
    source: Any = Slow()
    with pytest.raises(KeyboardInterrupt):
        embedded._fill(source, np.empty(3 * embedded.TASK_BYTES, np.uint8), lambda _: None)
    assert waited


def _echo(exchange: Exchange) -> None:
    exchange.answer(exchange.message)


@pytest.mark.parametrize("step", ["_take", "_open"])
def test_a_connection_that_is_parted_from_its_call_is_closed(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nothing_left_open(), scripted_server(_echo) as server, connections_to(server) as calls:
        with monkeypatch.context() as patched:
            patched.setattr(Connections, step, interrupted_after(getattr(Connections, step)))
            with pytest.raises(KeyboardInterrupt), call_of(calls):
                pass
        assert not calls._busy
        assert messages_of(calls) == [b"request"]


def test_a_connection_that_has_no_socket_yet_is_deleted_without_a_word() -> None:
    Connection.__new__(Connection).__del__()


def test_a_segment_s_file_is_closed_whatever_an_interrupt_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "x").write_bytes(bytes(4096))
    data = segment_to_bytes(str(tmp_path), "run/x", 4096)
    before = open_files()
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", interrupted_after(os.open))
        with pytest.raises(KeyboardInterrupt):
            map_segment(data, 4096)
    assert open_files() == before
    assert len(map_segment(data, 4096)) == 4096


def test_files_whose_reading_is_interrupted_are_read_at_the_next_look(tmp_path: Path) -> None:
    path, now, reads = tmp_path / "token", [0.0], iter((False, True, False))
    path.write_text("one")

    def load() -> str:
        if next(reads):
            interrupt()
        return path.read_text()

    token = Watched([path], load, lambda: now[0])
    path.write_text("another")
    now[0] += LOOK_SECONDS
    with pytest.raises(KeyboardInterrupt):
        token()
    now[0] += LOOK_SECONDS
    assert token() == "another"


class Silent:
    """A server whose digests never come."""

    target = "a server"

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.others: list[Silent] = []

    def another(self) -> "Silent":
        self.others.append(Silent())
        return self.others[-1]

    def cancel(self) -> None:
        self.cancelled.set()

    def digest(self, *_: object) -> list[Digest]:
        assert self.cancelled.wait(SOON_SECONDS)
        raise sb.CancelledError("the call was cancelled")


def test_an_interrupt_does_not_wait_for_the_digest_of_what_is_sampled_here() -> None:
    class Interrupted:
        def fill(self, *_: object) -> None:
            interrupt()

    server: Any = Silent()
    client = Client(server, Interrupted)  # type: ignore[arg-type]  # nothing else is asked for
    spec = sb.TensorSpec("w", (3,), "float32", sb.RandomNormal(seed=1))
    with pytest.raises(KeyboardInterrupt):
        client.sample(spec, local=True)
    assert [each.cancelled.is_set() for each in server.others] == [True]
    assert not server.cancelled.is_set()  # later calls are good


def test_a_second_interrupt_does_not_leave_the_threads_of_a_fetch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = RangedFetch._stop

    def interrupted_stop(fetch: RangedFetch) -> None:
        interrupt()
        stop(fetch)

    monkeypatch.setattr(RangedFetch, "_stop", interrupted_stop)
    monkeypatch.setattr(RangedFetch, "_run_lane", lambda fetch, replica: None)
    replica: Any = None
    tries = Tries("nobody", None, 30.0, AMONG_REPLICAS)
    fetch = RangedFetch(iter(()), [replica], tries, lambda _: None, Cancellation())
    with pytest.raises(KeyboardInterrupt):
        fetch.run()
    assert fetch._is_stopped


def test_an_interrupted_call_has_taken_its_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = sb.SeedGenerator(7)
    initializer = sb.HeNormal(seed=generator)
    client = Client(embedded_transport())
    with monkeypatch.context() as patched:
        patched.setattr(Client, "_fetch", lambda *_: interrupt())
        with pytest.raises(KeyboardInterrupt):
            initializer((4, 4), client=client)
    assert generator.position == 1
    again = initializer((4, 4), draw=0, client=client)
    assert generator.position == 1
    assert (again == sb.HeNormal(seed=sb.SeedGenerator(7))((4, 4), client=client)).all()
