"""How long a call waits for servers that do not answer, refuse or start, and how it is ended."""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status

import seedbed as sb
from seedbed.spec.digests import digest_bytes
from seedbed.transports import remote
from seedbed.transports.replica import HEALTH_CHECK
from seedbed.transports.try_limits import ALONE, TryLimits
from tests.faults.contents import MIB, Contents, Question, spec_of
from tests.faults.plans import Plan, always
from tests.faults.proxy import faulty_proxy
from tests.faults.relay import Ask, relay
from tests.faults.replicas import Replica, replica
from tests.free_addresses import free_address
from tests.soak import scaled
from tests.waiting import LATE_SECONDS

KINDS = ("sample", "sample_all", "chunks", "device", "small", "digest", "describe")
SPEC = spec_of(MIB)
SMALL = spec_of(512)


def overloaded(retry_seconds: float) -> Any:
    """Return the status of a server that has no room, and says when it may have some."""
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromNanoseconds(int(retry_seconds * 1e9))
    detail = any_pb2.Any()
    detail.Pack(retry)
    status = status_pb2.Status(
        code=code_pb2.RESOURCE_EXHAUSTED, message="no room", details=[detail]
    )
    return rpc_status.to_status(status)


class Refusing:
    """Refuses calls for a time from the first one on, then passes them on; health is passed on.

    Args:
        for_seconds: the time.
        retry_seconds: when it says that trying again makes sense.
    """

    def __init__(self, for_seconds: float, retry_seconds: float) -> None:
        self._for_seconds = for_seconds
        self._retry_seconds = retry_seconds
        self.arrivals: list[float] = []

    def __call__(
        self, method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
    ) -> Iterable[bytes]:
        if method == HEALTH_CHECK:
            return ask(request)
        self.arrivals.append(time.monotonic())
        if self.arrivals[-1] < self.arrivals[0] + self._for_seconds:
            context.abort_with_status(overloaded(self._retry_seconds))
        return ask(request)

    @property
    def gaps(self) -> list[float]:
        """The times between calls."""
        return [
            later - earlier
            for earlier, later in zip(self.arrivals, self.arrivals[1:], strict=False)
        ]


@pytest.fixture
def nobody() -> str:
    """An address on which nobody listens."""
    return free_address()


# A server that refuses.


@pytest.mark.parametrize(
    ("kind", "targets"), [*((kind, 1) for kind in KINDS), ("sample", 2), ("digest", 2)]
)
def test_a_call_waits_as_long_as_the_server_says(
    server: str, contents: Contents, kind: str, targets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, a relay that is late with its refusal would pass for a silent one.
    monkeypatch.setattr(remote, "AMONG_REPLICAS", ALONE)
    refusing = [Refusing(1.5, 0.7) for _ in range(targets)]
    question = Question(kind, contents.specs[0], contents)
    with ExitStack() as stack:
        addresses = [stack.enter_context(relay(server, each)) for each in refusing]
        client = stack.enter_context(sb.connect(addresses))
        began = time.monotonic()
        assert question.is_right(question.ask(client))
        seconds = time.monotonic() - began
    assert min(gap for each in refusing for gap in each.gaps) > 0.69
    assert 1.5 < seconds < 1.5 + 0.7 * 1.5 + LATE_SECONDS


def test_a_server_that_asks_for_more_than_patience_is_not_waited_for(server: str) -> None:
    began = time.monotonic()
    with (
        relay(server, Refusing(60, 30.0)) as address,
        sb.connect(address, patience_seconds=1.0) as client,
        pytest.raises(sb.OverloadedError) as caught,
    ):
        client.sample(SPEC)
    assert caught.value.retry_after_seconds == 30.0
    assert time.monotonic() - began < LATE_SECONDS


def test_others_answer_while_one_refuses(
    server: str, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "AMONG_REPLICAS", ALONE)  # likewise
    refusing = Refusing(60, 30.0)
    question = Question("digest", contents.specs[0], contents)
    with relay(server, refusing) as address, sb.connect([address, server]) as client:
        began = time.monotonic()
        assert all(question.is_right(question.ask(client)) for _ in range(20))
        assert time.monotonic() - began < LATE_SECONDS
    assert len(refusing.arrivals) == 1


# Nobody there.


def test_calls_to_nobody_end_when_patience_does(nobody: str, contents: Contents) -> None:
    # So long that a busy machine has time for several tries.
    patience_seconds = 8.0

    def call(kind: str) -> tuple[str, float, int]:
        question = Question(kind, contents.specs[0], contents)
        with sb.connect(nobody, patience_seconds=patience_seconds) as client:
            began = time.monotonic()
            with pytest.raises(sb.UnavailableError, match=r"tried \d+ times in") as caught:
                question.ask(client)
            return str(caught.value), time.monotonic() - began, client.stats().tries

    with ThreadPoolExecutor(len(KINDS)) as pool:
        for kind, (said, seconds, tries) in zip(KINDS, pool.map(call, KINDS), strict=True):
            assert nobody in said, kind
            assert f"tried {tries} times" in said, kind
            assert patience_seconds <= seconds < patience_seconds + LATE_SECONDS, kind
            # It backs off: not a try every few milliseconds.
            assert 3 <= tries < 20, kind


def test_without_patience_the_first_failure_is_the_last(nobody: str) -> None:
    with sb.connect(nobody, patience_seconds=0) as client:
        began = time.monotonic()
        with pytest.raises(sb.UnavailableError):
            client.sample(SPEC)
        assert time.monotonic() - began < LATE_SECONDS
        assert client.stats().tries == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_timeout_of_the_call_is_kept_by_all_of_its_tries(
    nobody: str, contents: Contents, kind: str
) -> None:
    calls: dict[str, Callable[[sb.Client], Any]] = {
        "sample": lambda client: client.sample(SPEC, timeout_seconds=1),
        "sample_all": lambda client: client.sample_all(contents.manifest, timeout_seconds=1),
        "chunks": lambda client: list(client.chunks(SPEC, timeout_seconds=1)),
        "device": lambda client: client.sample(SPEC, device="gpu", timeout_seconds=1),
        "small": lambda client: client.sample(SMALL, timeout_seconds=1),
        "digest": lambda client: client.digest(SPEC, timeout_seconds=1),
        "describe": lambda client: client.describe(SPEC, timeout_seconds=1),
    }
    silent = always(Plan("silence"))
    with faulty_proxy(nobody, silent) as proxy:
        for target in (nobody, proxy.target):
            with sb.connect(target) as client:
                began = time.monotonic()
                with pytest.raises((sb.DeadlineError, sb.UnavailableError)):
                    calls[kind](client)
                assert 0.9 < time.monotonic() - began < 1 + LATE_SECONDS


def test_a_timeout_longer_than_patience_is_used_up(contents: Contents) -> None:
    # It is there after 3 s, of which patience alone would have waited for 0.5.
    address = free_address()
    with ThreadPoolExecutor(1) as pool, sb.connect(address, patience_seconds=0.5) as client:
        asked = pool.submit(client.digest, contents.specs[0], timeout_seconds=90)
        time.sleep(3)
        with replica(address=address):
            assert asked.result(90) == contents.digests[contents.specs[0].name]


# A server that starts.


def test_calls_and_wait_ready_wait_for_a_server_that_starts(contents: Contents) -> None:
    address = free_address()
    question = Question("sample", contents.specs[0], contents)
    with ThreadPoolExecutor(3) as pool, sb.connect(address, patience_seconds=120) as client:
        ready = pool.submit(client.wait_ready, 120)
        asked = pool.submit(question.ask, client)
        time.sleep(1)
        assert not ready.done()
        assert not asked.done()
        with replica(address=address):
            ready.result(120)
            assert question.is_right(asked.result(120))


def test_wait_ready_waits_longer_than_a_server_allows_pings(server: str) -> None:
    # gRPC's servers end a connection that pings more often than they allow; here the first such
    # ping ends it, so that a few seconds show what an hour would.
    seconds = scaled(4, full=75)
    begun = time.monotonic()

    def starting(
        method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
    ) -> Iterable[bytes]:
        if time.monotonic() < begun + seconds:
            not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
            return [health_pb2.HealthCheckResponse(status=not_serving).SerializeToString()]
        return ask(request)

    strict = [
        ("grpc.http2.max_ping_strikes", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 3_600_000),
    ]
    with relay(server, starting, options=strict) as address, sb.connect(address) as client:
        client.wait_ready(120)
        waited = time.monotonic() - begun
    assert seconds <= waited < seconds + LATE_SECONDS


# Readers that pause.


def test_readers_may_pause(
    servers: list[Replica], contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than the pause, and more than a server waits for a busy machine's processor.
    limits = TryLimits(connect_seconds=4.0, silence_seconds=2.5, answer_seconds=2.5)
    for name in ("remote.AMONG_REPLICAS", "remote.ALONE", "tries.ALONE"):
        monkeypatch.setattr(f"seedbed.transports.{name}", limits)
    spec = contents.specs[-1]

    def read(targets: int, options: dict[str, int | str] | None) -> int:
        with sb.connect([each.address for each in servers[:targets]], options=options) as client:
            data = bytearray()
            for number, chunk in enumerate(client.chunks(spec)):
                data += chunk.data
                if number == 3:
                    time.sleep(scaled(8, full=100))
            assert digest_bytes(bytes(data)) == contents.digests[spec.name]
            return client.stats().failures

    ways = list(product([1, 2], [None, {"grpc.lb_policy_name": "pick_first"}]))
    with ThreadPoolExecutor(len(ways)) as pool:
        assert list(pool.map(read, *zip(*ways, strict=True))) == [0] * len(ways)


# Ends from outside.


def test_close_ends_calls_that_wait(nobody: str, contents: Contents) -> None:
    with ThreadPoolExecutor(len(KINDS)) as pool:
        client = sb.connect(nobody, patience_seconds=300)
        asked = [
            pool.submit(Question(kind, contents.specs[0], contents).ask, client) for kind in KINDS
        ]
        time.sleep(1)
        began = time.monotonic()
        client.close()
        for each in asked:
            with pytest.raises(sb.CancelledError):
                each.result(60)
        assert time.monotonic() - began < LATE_SECONDS


def test_a_task_that_is_cancelled_while_its_call_waits_ends(
    nobody: str, contents: Contents
) -> None:
    async def cancel_all() -> float:
        async with sb.aio.connect(nobody, patience_seconds=300) as client:
            tasks = [
                asyncio.create_task(Question(kind, contents.specs[0], contents).ask_later(client))
                for kind in KINDS
            ]
            await asyncio.sleep(1)
            began = time.monotonic()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends
            return time.monotonic() - began

    assert asyncio.run(cancel_all()) < LATE_SECONDS


def test_an_asynchronous_client_that_is_closed_ends_calls_that_wait(
    nobody: str, contents: Contents
) -> None:
    async def close() -> float:
        client = sb.aio.connect(nobody, patience_seconds=300)
        tasks = [
            asyncio.create_task(Question(kind, contents.specs[0], contents).ask_later(client))
            for kind in KINDS
        ]
        await asyncio.sleep(1)
        began = time.monotonic()
        await client.close()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, sb.CancelledError) for end in ends), ends
        return time.monotonic() - began

    assert asyncio.run(close()) < LATE_SECONDS
