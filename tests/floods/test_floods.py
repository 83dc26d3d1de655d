"""Floods of frames take the server neither from a good client nor its memory."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.floods.bystander import Bystander, good_client
from tests.floods.floods import FLOODS, Flood, pour
from tests.floods.watcher import MORE_THREADS, Watcher
from tests.raw_calls import MIB
from tests.servers import ServerProcess
from tests.soak import IS_SOAK, scaled

CONNECTIONS = 4
SECONDS = scaled(2, full=60)
MOST_P99_SECONDS = 1.0


@pytest.fixture(scope="module")
def good(server: ServerProcess) -> Iterator[Bystander]:
    with good_client(server.address) as found:
        yield found


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_good_client_never_fails_beside_a_flood_of(
    server: ServerProcess, good: Bystander, flood: Flood
) -> None:
    good.report()  # ends what belongs to the flood before
    with Watcher(server.process.pid) as watcher:
        sent, opened = asyncio.run(
            pour(server.address, flood, connections=CONNECTIONS, seconds=SECONDS)
        )
        report = good.report()
    after = watcher.settled(memory=64 * MIB, files=8, threads=MORE_THREADS)
    print(
        f"{sent / MIB:.0f} MiB over {opened} connections; beside it: {report}; "
        f"server: {watcher.before}; at most {watcher.most}; after it {after}"
    )
    assert not report.failed, report.failures
    assert after.memory - watcher.before.memory < 64 * MIB
    assert after.files <= watcher.before.files + 8
    assert after.threads <= watcher.before.threads + MORE_THREADS
    assert "Traceback" not in server.log
    if IS_SOAK:
        assert report.p99 < MOST_P99_SECONDS
