"""Streams that nobody reads keep their share of memory, and others are served."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import pytest

from tests.floods.bystander import Bystander, good_client
from tests.floods.connection import connect
from tests.floods.readers import stream_request
from tests.floods.report import Report
from tests.floods.watcher import MORE_THREADS, Watcher
from tests.raw_calls import MIB
from tests.servers import ServerProcess, serving
from tests.soak import scaled

STREAMS = scaled(400, full=2000)
STREAMS_PER_CONNECTION = 20
INFLIGHT_BYTES = 256 * MIB
HOLD_SECONDS = scaled(3, full=60)
# Of which windows are told: a stream's state, and gRPC's share of its first chunk.
STREAM_BYTES = MIB // 4
WINDOWS = {"with windows of nothing": 0, "with windows that are never widened": 2**16 - 1}
SOURCES = {"from one address": 1, "from twenty addresses": 20}


@pytest.fixture(scope="module")
def small_server() -> Iterator[ServerProcess]:
    with serving("--max-inflight-bytes", str(INFLIGHT_BYTES)) as process:
        yield process


@pytest.fixture(scope="module")
def good(small_server: ServerProcess) -> Iterator[Bystander]:
    with good_client(small_server.address) as found:
        yield found


async def _hold(
    address: str, sources: Sequence[str], window_bytes: int, good: Bystander
) -> tuple[int, Report]:
    """Hold slow readers for a while; return how many were refused, and the good client's report."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(
                connect(
                    address,
                    source=sources[i % len(sources)],
                    window_bytes=window_bytes,
                    most_bytes=2**30,
                )
            )
            for i in range(STREAMS // STREAMS_PER_CONNECTION)
        ]
        for i, connection in enumerate(connections):
            for j in range(STREAMS_PER_CONNECTION):
                connection.open_call("SampleTensors", stream_request(f"slow/{i}/{j}"))
            await asyncio.sleep(0.02)
        await asyncio.sleep(HOLD_SECONDS)
        report = await asyncio.to_thread(good.report)
        refused = STREAMS - sum(len(connection.answers) for connection in connections)
        assert not any(connection.lost.is_set() for connection in connections)
    return refused, report


@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES.keys())
@pytest.mark.parametrize("window_bytes", WINDOWS.values(), ids=WINDOWS.keys())
def test_a_good_client_never_fails_beside_slow_readers(
    small_server: ServerProcess, good: Bystander, window_bytes: int, sources: int
) -> None:
    good.report()
    addresses = [f"127.0.0.{2 + number}" for number in range(sources)]
    with Watcher(small_server.process.pid) as watcher:
        refused, report = asyncio.run(_hold(small_server.address, addresses, window_bytes, good))
    after = watcher.settled(memory=64 * MIB, files=8, threads=MORE_THREADS)
    print(
        f"{STREAMS} slow readers, {refused} of them refused; server: {watcher.before}; at most "
        f"{watcher.most}; after them {after}; beside them: {report}"
    )
    assert not report.failed, report.failures
    grown = watcher.most.memory - watcher.before.memory
    assert grown < INFLIGHT_BYTES + 64 * MIB + STREAMS * STREAM_BYTES
    assert watcher.most.threads <= watcher.before.threads + MORE_THREADS
    assert after.memory - watcher.before.memory < 64 * MIB
    assert after.files <= watcher.before.files + 8
    # Their places are free again.
    small_server.wait_for_count("code=CANCELLED", STREAMS - refused)
