"""Quotas of a real server: what an identity has at a time and by the day, and its fair share."""

from contextlib import ExitStack

import grpc

from seedbed.v1 import service_pb2
from tests.raw_calls import (
    MIB,
    NUMERICS,
    large_request,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess
from tests.token_calls import Files, ask, bearer, reason_of, refused
from tests.waiting import wait_until

# Of a channel that holds little of what nobody reads.
UNREAD = [("grpc.http2.lookahead_bytes", 2**16), ("grpc.http2.bdp_probe", 0)]
# Some seconds of a core, and hardly any time.
LARGE, SMALL = (4096, 4096), (64, 64)


def matrix(shape: tuple[int, int], seed: int = 1) -> service_pb2.SampleTensorsRequest:
    return sample_request(tensor(shape, "orthogonal", seed=seed))


def test_matrices_are_counted_and_given_back(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    few = bearer(files.tokens["few"])
    call = stub(channel).SampleTensors(matrix(LARGE), **few)
    wait_until(lambda: server.metric("seedbed_held", resource="working_bytes") > MIB)
    answer = refused(channel, "SampleTensors", matrix(SMALL, 2), **few)
    assert (answer.code, answer.reason, answer.quota) == (
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "matrices",
    )
    assert answer.retry_seconds is not None
    small = service_pb2.SampleSmallTensorRequest(
        tensor=tensor(SMALL, "orthogonal", seed=3), numerics=NUMERICS
    )
    assert refused(channel, "SampleSmallTensor", small, **few).quota == "matrices"
    assert ask(channel, "SampleTensors", **few), "what is not computed whole is no matrix"
    assert ask(channel, "SampleTensors", matrix(SMALL, 2), **bearer(files.tokens["trainer"]))
    call.cancel()
    wait_until(lambda: server.metric("seedbed_held", resource="working_bytes") == 0)
    assert ask(channel, "SampleTensors", matrix(SMALL, 2), **few)


def test_bytes_in_flight_are_counted_and_given_back(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    narrow, half = bearer(files.tokens["narrow"]), (512, 512)
    never = refused(channel, "SampleTensors", matrix(LARGE), **narrow)
    assert (never.code, never.reason, never.limit) == (
        "INVALID_ARGUMENT",
        "OVER_LIMIT",
        "max_working_bytes",
    )
    info = ask(channel, "GetServerInfo", **narrow)[0]
    assert info.limits.max_working_bytes == 64 * MIB
    with ExitStack() as stack:
        unread = stack.enter_context(grpc.insecure_channel(server.address, options=UNREAD))
        for seed in range(2):  # of some 26 MiB each
            request = matrix(half, seed)
            call = stub(unread).SampleTensors(request, **narrow)
            stack.callback(call.cancel)
            next(call)
        answer = refused(channel, "SampleTensors", matrix(half, 9), **narrow)
        assert (answer.code, answer.reason, answer.quota) == (
            "RESOURCE_EXHAUSTED",
            "QUOTA_EXCEEDED",
            "inflight_bytes",
        )
        assert answer.retry_seconds is not None
        assert ask(channel, "SampleTensors", **narrow), "small tensors need no room"
    wait_until(lambda: server.metric("seedbed_held", resource="inflight_bytes") == 0)
    wait_until(lambda: server.metric("seedbed_held", resource="working_bytes") == 0)
    assert ask(channel, "SampleTensors", matrix(half, 9), **narrow)


def test_bytes_are_counted_by_the_day(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    daily = bearer(files.tokens["daily"])
    never = refused(channel, "SampleTensors", large_request(65 * MIB), **daily)
    assert (never.code, never.reason) == ("INVALID_ARGUMENT", "OVER_LIMIT")
    assert f"{64 * MIB} bytes in all (bytes_per_day)" in never.message

    # Of a stream that is cancelled, what was sent counts: a few chunks that nobody may have read.
    cancelled = stub(channel).SampleTensors(large_request(64 * MIB), **daily)
    next(cancelled)
    cancelled.cancel()
    wait_until(lambda: server.metric("seedbed_held", resource="streams") == 0)
    assert ask(channel, "SampleTensors", large_request(32 * MIB), **daily)
    answer = refused(channel, "SampleTensors", large_request(32 * MIB), **daily)
    assert (answer.code, answer.reason, answer.quota) == (
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "bytes_per_day",
    )
    assert answer.retry_seconds is not None
    assert 0 < answer.retry_seconds <= 86_400
    # Digests send no tensor.
    digests = service_pb2.DigestTensorsRequest(
        tensors=large_request(16 * MIB).tensors, numerics=NUMERICS
    )
    assert ask(channel, "DigestTensors", digests, **daily)
    while reason_of(channel, "SampleTensors", large_request(4 * MIB), **daily) == "OK":
        pass
    small = service_pb2.SampleSmallTensorRequest(tensor=tensor((2**14,)), numerics=NUMERICS)
    reasons = [reason_of(channel, "SampleSmallTensor", small, **daily) for _ in range(64)]
    assert reasons[-1] == "QUOTA_EXCEEDED", "less than 4 MiB were left"


def test_a_costly_request_is_refused_for_good(channel: grpc.Channel, files: Files) -> None:
    quick = bearer(files.tokens["quick"])
    answer = refused(channel, "SampleTensors", matrix(LARGE), **quick)
    assert (answer.code, answer.reason, answer.limit) == (
        "INVALID_ARGUMENT",
        "OVER_LIMIT",
        "max_request_cost_seconds",
    )
    assert ask(channel, "GetServerInfo", **quick)[0].limits.max_request_cost_seconds == 0.5
    assert ask(channel, "SampleTensors", matrix(SMALL), **quick)


def test_shares_are_by_identity_behind_one_address(channel: grpc.Channel, files: Files) -> None:
    greedy, good = bearer(files.tokens["team/a"]), bearer(files.tokens["team/b"])
    with ExitStack() as stack:
        for _ in range(8):
            call = stub(channel).SampleTensors(large_request(2**36), **greedy)
            stack.callback(call.cancel)
            next(call)
        assert refused(channel, "SampleTensors", large_request(2**20), **greedy).reason == (
            "TOO_MANY_STREAMS"
        )
        for _ in range(4):
            call = stub(channel).SampleTensors(large_request(2**36), **good)
            stack.callback(call.cancel)
            next(call)
