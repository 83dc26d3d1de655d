"""Connections that begin and go no further disturb nobody, and are given back."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from seedbed.transports.http2 import frames
from seedbed.transports.http2.frames import frame
from tests import servers
from tests.floods.bystander import Bystander, good_client
from tests.floods.connection import call_headers, connect, grpc_message
from tests.floods.watcher import LOOK_EVERY_SECONDS, MORE_THREADS, State, Watcher
from tests.raw_calls import MIB
from tests.servers import ServerProcess, serving
from tests.soak import scaled

CONNECTIONS = scaled(500, full=4000)
HOLD_SECONDS = scaled(1, full=30)
CALL = frame(frames.HEADERS, frames.END_HEADERS, 1, call_headers("SampleTensors"))
BEGINNINGS = {
    "nothing": b"",
    "half a preface": frames.PREFACE[:10],
    "a preface": frames.PREFACE,
    "half a frame": frames.PREFACE + frames.settings({}) + CALL[:20],
    "half a call's headers": frames.PREFACE
    + frames.settings({})
    + frame(frames.HEADERS, 0, 1, call_headers("SampleTensors")[:20]),
    "a call without a request": frames.PREFACE + frames.settings({}) + CALL,
    "half a request": frames.PREFACE
    + frames.settings({})
    + CALL
    + frame(frames.DATA, 0, 1, grpc_message(bytes(2**20))[:1000]),
}
# Of which a server lets half be connections.
FEW_FILES = 300
HALF_METRICS = b"GET /metrics HTTP/1.1\r\nHost: local"


@pytest.fixture(scope="module")
def good(server: ServerProcess) -> Iterator[Bystander]:
    with good_client(server.address) as found:
        yield found


async def _hold(address: str, beginnings: list[bytes], pid: int, *, least_files: int = 0) -> State:
    """Hold open a connection for each beginning; return what the server holds after a while.

    Args:
        address: where the server listens.
        beginnings: what each connection sends.
        pid: of the server.
        least_files: how many descriptors the server comes to have, however late it is.
    """
    async with AsyncExitStack() as stack:
        for beginning in beginnings:
            try:
                connection = await stack.enter_async_context(connect(address, greeting=beginning))
            except OSError:  # the server takes no more connections
                await asyncio.sleep(0.001)
            else:
                connection.stop_reading()  # it would answer the server's settings
        await asyncio.sleep(HOLD_SECONDS)
        async with asyncio.timeout(120):
            while State.of(pid).files < least_files:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
        return State.of(pid)


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_a_good_client_never_fails_beside_connections_that_send(
    server: ServerProcess, good: Bystander, beginning: bytes
) -> None:
    good.report()
    with Watcher(server.process.pid) as watcher:
        held = asyncio.run(_hold(server.address, [beginning] * CONNECTIONS, server.process.pid))
        report = good.report()
    after = watcher.settled(memory=64 * MIB, files=8, threads=MORE_THREADS)
    print(f"{CONNECTIONS} connections: {held}; after them {after}; beside them: {report}")
    assert not report.failed, report.failures
    assert held.threads <= watcher.before.threads + MORE_THREADS
    assert held.memory - watcher.before.memory < CONNECTIONS * MIB // 8 + 64 * MIB
    assert after.memory - watcher.before.memory < 64 * MIB
    assert after.files <= watcher.before.files + 8


def test_connections_beyond_the_limit_disturb_none_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "seedbed-server"
    program.write_text(f'#!/bin/sh\nulimit -n {FEW_FILES}\nexec {servers.PROGRAM} "$@"\n')
    program.chmod(0o700)
    monkeypatch.setattr(servers, "PROGRAM", str(program))
    with (
        serving() as cramped,
        good_client(cramped.address, newcomers=False) as good,
        Watcher(cramped.process.pid) as watcher,
    ):
        held = asyncio.run(
            _hold(
                cramped.address,
                [frames.PREFACE] * FEW_FILES,
                cramped.process.pid,
                least_files=FEW_FILES // 4,
            )
        )
        report = good.report()
        after = watcher.settled(memory=64 * MIB, files=2, threads=MORE_THREADS)
        with good_client(cramped.address):
            pass
    print(f"{FEW_FILES} connections: {held}; after them {after}; beside them: {report}")
    assert not report.failed, report.failures
    assert watcher.most.files < FEW_FILES
    assert after.files <= watcher.before.files + 2


def test_metrics_are_shown_beside_requests_for_them_that_never_end(
    server: ServerProcess, good: Bystander
) -> None:
    address = server.wait_for(r" INFO admin address=(\S+)")
    good.report()

    async def hold_and_look() -> tuple[State, str]:
        holding = asyncio.create_task(
            _hold(address, [HALF_METRICS] * CONNECTIONS, server.process.pid)
        )
        await asyncio.sleep(HOLD_SECONDS / 2)
        shown = await asyncio.to_thread(lambda: server.metrics)
        return await holding, shown

    with Watcher(server.process.pid) as watcher:
        held, shown = asyncio.run(hold_and_look())
        report = good.report()
    after = watcher.settled(memory=64 * MIB, files=8, threads=MORE_THREADS)
    print(f"{CONNECTIONS} half requests for metrics: {held}; after them {after}; beside: {report}")
    assert "grpc_server_started_total" in shown
    assert not report.failed, report.failures
    assert watcher.most.threads <= watcher.before.threads + MORE_THREADS
    assert after.files <= watcher.before.files + 8
