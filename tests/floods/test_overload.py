"""Four times the calls that a server takes: refusals come at once, and all ends well."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import pytest

from tests.floods.connection import Answer, connect
from tests.floods.peers import run_peers
from tests.floods.readers import Source
from tests.floods.report import Report
from tests.floods.watcher import Watcher
from tests.raw_calls import MIB
from tests.servers import ServerProcess, serving
from tests.soak import IS_SOAK, scaled

PLACES = 32
# They come again at once, whatever they are told.
GREEDY = [f"127.0.1.{number}" for number in range(1, 9)]
STREAMS = 4 * PLACES // len(GREEDY)
STREAM_BYTES = 8 * MIB
# They do what the SDK does.
PATIENT = [f"127.0.0.{number}" for number in range(2, 6)]
INFLIGHT_BYTES = 64 * MIB
# Memory that the server keeps to use again, beside the bytes in flight; and for gRPC and the rest.
KEPT_BYTES, MARGIN_BYTES = 32 * MIB, 96 * MIB
SECONDS = scaled(6, full=120)
RESOURCE_EXHAUSTED = "8"
MOST_REFUSAL_SECONDS = 0.05


@pytest.fixture
def small_server() -> Iterator[ServerProcess]:
    with serving(
        *("--max-concurrent-streams", str(PLACES), "--max-inflight-bytes", str(INFLIGHT_BYTES))
    ) as process:
        yield process


@dataclass
class Crowd:
    """What came of a time of overload."""

    refusals: list[Answer]
    """Of the greedy."""
    reports: list[Report]
    """Of the patient."""
    health: list[Answer]
    """Answers of the health service meanwhile."""


async def _ask_health(address: str, answers: list[Answer]) -> None:
    async with connect(address) as connection:
        while True:
            answers.append(await connection.call("/grpc.health.v1.Health/Check", b""))
            await asyncio.sleep(0.05)


async def _greedy_beside_patient(address: str, *, seconds: float) -> Crowd:
    """Let greedy and patient callers call for a while."""
    health: list[Answer] = []
    sources = [
        Source(address, source, STREAMS, tensor_bytes=STREAM_BYTES, per_connection=1)
        for source in GREEDY
    ]
    tasks = [asyncio.create_task(source.read()) for source in sources]
    tasks.append(asyncio.create_task(_ask_health(address, health)))
    await asyncio.sleep(1.0)
    reports = await asyncio.to_thread(
        run_peers, address, sources=PATIENT, threads=2, seconds=seconds
    )
    for task in tasks:
        assert not task.done(), task.exception()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return Crowd([each for source in sources for each in source.refusals], reports, health)


def test_refusals_come_at_once_and_patient_callers_end_well(small_server: ServerProcess) -> None:
    # What a first stream loads is not the crowd's.
    run_peers(small_server.address, sources=PATIENT[:1], threads=2, seconds=1)
    with Watcher(small_server.process.pid) as watcher:
        crowd = asyncio.run(_greedy_beside_patient(small_server.address, seconds=SECONDS))
    together = Report.of(crowd.reports)
    grown = watcher.most.memory - watcher.before.memory
    seconds = [refusal.seconds for refusal in crowd.refusals]
    health = median(answer.seconds for answer in crowd.health)
    print(
        f"{len(seconds)} refusals, after {median(seconds):.4f} s in the median and "
        f"{max(seconds):.4f} s at worst; health after {health:.4f} s; "
        f"patient callers: {_each(crowd.reports)}; "
        f"grown by {grown / MIB:.0f} MiB"
    )
    assert {refusal.status for refusal in crowd.refusals} == {RESOURCE_EXHAUSTED}
    assert all(0 < (refusal.retry_seconds or 0) < 30 for refusal in crowd.refusals)
    assert not together.failed, together.failures
    assert grown < INFLIGHT_BYTES + KEPT_BYTES + MARGIN_BYTES
    if IS_SOAK:
        assert len(seconds) > 5 * SECONDS
        assert median(seconds) < MOST_REFUSAL_SECONDS


def test_patient_callers_alone_end_well_and_have_their_turns() -> None:
    with serving("--max-concurrent-streams", "4", "--max-inflight-bytes", str(16 * MIB)) as server:
        alone = run_peers(server.address, sources=PATIENT[:2], threads=2, seconds=SECONDS / 2)
        crowd = run_peers(server.address, sources=PATIENT, threads=4, seconds=SECONDS)
    speed_alone = sum(len(report.seconds) for report in alone) / (SECONDS / 2)
    calls = [len(report.seconds) for report in crowd]
    print(
        f"{speed_alone:.1f} calls/s with as many callers as places, {sum(calls) / SECONDS:.1f} "
        f"with four times as many: {_each(crowd)}"
    )
    assert not Report.of([*alone, *crowd]).failed, Report.of([*alone, *crowd]).failures
    assert min(calls) > 0
    if IS_SOAK:  # refusals and waiting cost little of the server's time
        assert sum(calls) / SECONDS > speed_alone / 4
        assert min(calls) > max(calls) / 5


def _each(reports: Sequence[Report]) -> str:
    return "; ".join(map(str, reports))
