"""A server that one client cannot take from the others: refusals, shares, lanes, limits."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

import grpc
import pytest

from seedbed.v1 import service_pb2, tensors_pb2
from tests.peers import peer_at
from tests.raw_calls import (
    MIB,
    NUMERICS,
    bytes_by_tensor,
    large_request,
    parts_of,
    raw_sample,
    refusal,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess, serving
from tests.waiting import LATE_SECONDS

GREEDY, GOOD = "127.0.0.2", "127.0.0.3"
# Some seconds of one core, however fast the machine.
LARGE, MEDIUM, SMALL = (6144, 6144), (2048, 2048), (64, 64)
# A core computes on after a call was cancelled for less than this.
MOST_CORE_SECONDS = 12.0


@contextmanager
def channel_from(host: str, server: ServerProcess) -> Iterator[grpc.Channel]:
    """Yield a channel whose server sees another peer."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with (
        peer_at(host, server.address) as address,
        grpc.insecure_channel(address, options=options) as channel,
    ):
        yield channel


def matrix(shape: tuple[int, int], seed: int = 1) -> service_pb2.SampleTensorsRequest:
    return sample_request(tensor(shape, "orthogonal", seed=seed))


def seconds(work: Callable[[], object]) -> float:
    before = time.monotonic()
    work()
    return time.monotonic() - before


def until(is_so: Callable[[], bool], limit: float = 120.0) -> float:
    """Return after how many seconds something was so; fail if that takes too long."""
    before = time.monotonic()
    while not is_so():
        assert time.monotonic() < before + limit
        time.sleep(0.02)
    return time.monotonic() - before


@pytest.fixture(scope="module")
def small_server() -> Iterator[ServerProcess]:
    """A server with 16 places."""
    with serving("--max-concurrent-streams", "16", "--admin-listen", "127.0.0.1:0") as process:
        yield process


def test_who_is_refused_hears_it_at_once_and_others_still_find_a_place(
    small_server: ServerProcess,
) -> None:
    with (
        channel_from(GREEDY, small_server) as greedy,
        channel_from(GOOD, small_server) as good,
        ExitStack() as stack,
    ):
        for _ in range(8):
            call = raw_sample(greedy, large_request(2**36))
            stack.callback(call.cancel)
            next(call)
        waits, told = [], []
        for _ in range(200):
            before = time.monotonic()
            answer = refusal(raw_sample(greedy, large_request(2**36)))
            waits.append(time.monotonic() - before)
            told.append(answer.retry_seconds or 0.0)
            assert answer.reason == "TOO_MANY_STREAMS"
        print(f"refused in {median(waits) * 1e3:.1f} ms (median), {max(waits) * 1e3:.0f} at most")
        assert all(0.2 <= each <= 5.0 for each in told)
        assert max(told) > 2 * told[0], "a crowd is told to spread out"
        for seed in range(5):
            answers = parts_of(good, sample_request(tensor((2**16,), seed=seed)))
            assert len(bytes_by_tensor(answers)[0]) == 2**18
    assert small_server.metric("seedbed_rejected_total", reason="TOO_MANY_STREAMS") == 200
    until(lambda: small_server.metric("seedbed_held", resource="streams") == 0)


def test_a_greedy_client_leaves_the_others_their_share(small_server: ServerProcess) -> None:
    """Digests cost the clients nothing, so the server alone decides who gets how much."""
    sizes = {GREEDY: 2**24, GOOD: 2**26}
    done = dict.fromkeys(sizes, 0)
    stopped = threading.Event()
    seeds = iter(range(10**9))

    def digests(channel: grpc.Channel, host: str) -> None:
        while not stopped.is_set():
            shape = (sizes[host] // 4,)
            asked = tensor(shape, "random_normal", seed=next(seeds))
            list(
                stub(channel).DigestTensors(
                    service_pb2.DigestTensorsRequest(tensors=[asked], numerics=NUMERICS)
                )
            )
            if not stopped.is_set():
                done[host] += sizes[host]

    with (
        channel_from(GREEDY, small_server) as greedy,
        channel_from(GOOD, small_server) as good,
        ThreadPoolExecutor(9) as pool,
    ):
        works = [pool.submit(digests, greedy, GREEDY) for _ in range(8)]
        works.append(pool.submit(digests, good, GOOD))
        until(lambda: done[GREEDY] >= 2**28 and done[GOOD] >= 2**28, 300)
        share = done[GOOD] / sum(done.values())
        stopped.set()
        for work in works:
            work.result()
    print(f"one stream beside eight of another client has {100 * share:.0f} %")
    assert share > 0.2, "by streams it would be 0.11, by clients it is 0.5"


def test_a_small_matrix_goes_ahead_of_large_ones(small_server: ServerProcess) -> None:
    with (
        channel_from(GREEDY, small_server) as greedy,
        channel_from(GOOD, small_server) as good,
        ExitStack() as stack,
    ):
        for seed in range(3):
            call = raw_sample(greedy, matrix(LARGE, seed))
            stack.callback(call.cancel)
        until(lambda: small_server.metric("seedbed_waiting", lane="computed_longer") >= 1)
        small = median(
            seconds(lambda i=i: list(raw_sample(good, matrix(SMALL, i)))) for i in range(9)
        )
        unary = median(
            seconds(
                lambda i=i: stub(good).SampleSmallTensor(
                    service_pb2.SampleSmallTensorRequest(
                        tensor=tensor(SMALL, "orthogonal", seed=90 + i), numerics=NUMERICS
                    )
                )
            )
            for i in range(3)
        )
        assert small_server.metric("seedbed_waiting", lane="computed_longer") >= 1, "still at it"
        print(
            f"a small matrix took {small:.3f} s beside large ones, "
            f"by SampleSmallTensor {unary:.3f} s"
        )
    until(lambda: small_server.metric("seedbed_held", resource="working_bytes") == 0)


@pytest.mark.parametrize(
    "asked",
    [
        tensor(LARGE, "orthogonal"),
        tensor((2**20, 64), "orthogonal"),
        tensor((2**25, 2), "sparse", sparsity=0.5),
        tensor((2**14, 1, 2**14), "stft"),
    ],
    ids=["square", "tall", "sparse", "stft"],
)
def test_a_matrix_that_is_cancelled_ends_soon(
    small_server: ServerProcess, asked: tensors_pb2.TensorRequest
) -> None:
    with channel_from(GREEDY, small_server) as channel:
        call = raw_sample(channel, sample_request(asked))
        until(lambda: small_server.metric("seedbed_held", resource="working_bytes") > MIB)
        before = small_server.core_seconds
        call.cancel()
        until(lambda: small_server.metric("seedbed_held", resource="working_bytes") == 0)
        took = small_server.core_seconds - before
        print(f"ended after {took:.2f} core seconds more")
        assert took < MOST_CORE_SECONDS


def test_what_matrices_take_stays_within_the_budget() -> None:
    budget = 256 * MIB
    one = service_pb2.DescribeTensorsRequest(
        tensors=[tensor(MEDIUM, "orthogonal")], numerics=NUMERICS
    )
    with serving("--max-working-bytes", str(budget)) as server, ExitStack() as stack:
        good = stack.enter_context(channel_from(GOOD, server))
        assert list(raw_sample(good, matrix(SMALL)))  # loads the code
        working_bytes = next(stub(good).DescribeTensors(one)).tensors[0].working_bytes
        assert budget / 4 < working_bytes < budget / 2
        idle = peak = server.memory
        calls = []
        for i in range(12):
            channel = stack.enter_context(channel_from(f"127.0.0.{10 + i}", server))
            calls.append(raw_sample(channel, matrix(MEDIUM, i)))
        works = [
            stack.enter_context(ThreadPoolExecutor(12)).submit(outcome, call) for call in calls
        ]
        while not all(work.done() for work in works):
            peak = max(peak, server.memory)
            time.sleep(0.01)
        outcomes = [work.result() for work in works]
        print(f"{outcomes.count('OK')} of 12 served, {(peak - idle) / MIB:.0f} MiB at most")
        assert set(outcomes) == {"OK", "TOO_MANY_MATRICES"}
        # What the C library keeps of freed memory, and chunks in flight, come on top.
        assert peak - idle < budget + 96 * MIB
        too_large = refusal(raw_sample(good, matrix((4096, 4096))))
        assert (too_large.code, too_large.reason) == ("INVALID_ARGUMENT", "OVER_LIMIT")
        assert too_large.field == "tensors[0].spec.shape"


def outcome(call: Any) -> str:
    """Return OK, or the reason why a stream was refused."""
    try:
        for _ in call:
            pass
    except grpc.RpcError:
        answer = refusal(call)
        assert answer.retry_seconds is not None
        return answer.reason
    return "OK"


def test_what_costs_too_much_is_refused_before_any_work() -> None:
    with (
        serving("--max-request-cost-seconds", "1") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        for asked in (
            tensor((65536, 1, 4096), "stft"),
            tensor(LARGE, "orthogonal"),
            tensor((2**15, 2**15), "sparse", sparsity=0.5),
        ):
            before = time.monotonic()
            answer = refusal(raw_sample(channel, sample_request(tensor((4,)), asked)))
            assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "OVER_LIMIT")
            assert answer.field == "tensors[1].spec.shape"
            assert "max_request_cost_seconds" in answer.message
            assert time.monotonic() - before < LATE_SECONDS
        assert list(raw_sample(channel, matrix(SMALL)))


def test_lists_of_tensors_have_a_budget() -> None:
    long = sample_request(*[tensor((2**22,), name=str(i)) for i in range(3000)])
    with (
        serving("--max-working-bytes", str(8 * MIB)) as server,
        channel_from(GREEDY, server) as greedy,
        channel_from(GOOD, server) as good,
    ):
        first = raw_sample(greedy, long)
        next(first)
        answer = refusal(raw_sample(greedy, long))
        assert (answer.code, answer.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_TENSORS")
        assert answer.retry_seconds is not None
        assert next(raw_sample(good, sample_request(*long.tensors[:500])))
        first.cancel()
        too_long = sample_request(*[tensor((1,), name=str(i)) for i in range(9000)])
        assert refusal(raw_sample(good, too_long)).reason == "OVER_LIMIT"


UNREAD = [("grpc.http2.lookahead_bytes", 2**16), ("grpc.http2.bdp_probe", 0)]


@pytest.mark.parametrize("messages", [0, 1])
def test_a_stream_that_nobody_reads_ends_and_tells_when_to_resume(messages: int) -> None:
    with (
        serving("--stream-idle-seconds", "0.5", "--admin-listen", "127.0.0.1:0") as server,
        grpc.insecure_channel(server.address, options=UNREAD) as channel,
    ):
        # Its window does not even hold the first message.
        call = raw_sample(channel, large_request(2**32), timeout=120)
        for _ in range(messages):
            next(call)
        server.wait_for("method=SampleTensors code=UNAVAILABLE")
        until(lambda: server.metric("seedbed_held", resource="streams") == 0)
        until(lambda: server.metric("seedbed_held", resource="inflight_bytes") == 0)
        answer = refusal(call)
        assert (answer.code, answer.reason) == ("UNAVAILABLE", "STREAM_IDLE")
        assert answer.retry_seconds is not None


@pytest.mark.parametrize("method", ["SampleTensors", "DigestTensors"])
def test_a_stream_that_goes_on_for_too_long_ends(method: str) -> None:
    with (
        serving("--max-stream-seconds", "1") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        request: Any = large_request(2**37)
        if method == "DigestTensors":
            request = service_pb2.DigestTensorsRequest(tensors=request.tensors, numerics=NUMERICS)
        answer = refusal(getattr(stub(channel), method)(request))
        assert (answer.code, answer.reason) == ("UNAVAILABLE", "STREAM_TOO_LONG")
        assert answer.retry_seconds is not None


def test_a_reader_that_pauses_for_less_goes_on() -> None:
    with (
        serving("--stream-idle-seconds", "30") as server,
        grpc.insecure_channel(server.address, options=UNREAD) as channel,
    ):
        call = raw_sample(channel, large_request(2**24))
        size = len(next(call))
        time.sleep(3)
        assert size + sum(map(len, call)) > 2**24
