"""A server that stops: a lame duck first, then it refuses new calls, and those under way end."""

import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import hpack
import pytest
from grpc_health.v1 import health_pb2

import seedbed as sb
from seedbed.transports.http2 import frames
from tests.raw_calls import SERVICE, health_stub, large_request, raw_sample, refusal, stub
from tests.servers import SERVING, server_process, serving

SPEC = sb.TensorSpec("u", (300, 41), "float32", sb.GlorotUniform(seed=1))
CALLERS = 16
# Longer than any wait of a test, so that what ends has not ended by it.
LONG_GRACE = ("--grace-seconds", "600")


@contextmanager
def watcher_that_reads_nothing(address: str) -> Iterator[None]:
    """Watch the health of a server that is allowed to send no byte of it."""
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Watch",
        ":authority": "x",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(
            frames.PREFACE
            + frames.settings({frames.INITIAL_WINDOW_SIZE: 0})
            + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, hpack.Encoder().encode(headers))
            + frames.frame(frames.DATA, frames.END_STREAM, 1, bytes(5))
            + frames.frame(frames.PING, 0, 0, bytes(8))
        )
        # Its answers tell that the server has the call.
        received = b""
        while frames.frame(frames.PING, frames.ACK, 0, bytes(8)) not in received:
            received += connection.recv(1000)
        yield


def test_a_terminating_server_finishes_its_stream_and_takes_no_other() -> None:
    with (
        serving(*LONG_GRACE) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        health = health_stub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        call = raw_sample(channel, large_request(2**28))
        received = len(next(call))
        server.signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with (
            sb.connect(server.address, patience_seconds=0) as late,
            pytest.raises(sb.UnavailableError),
        ):
            late.sample(SPEC)
        # On the connection that is open already, too; UNAVAILABLE is what clients and balancers may
        # retry elsewhere.
        assert (
            refusal(stub(channel).SampleTensors(large_request(4), timeout=30)).code == "UNAVAILABLE"
        )
        assert received + sum(map(len, call)) > 2**28
        assert call.code() is grpc.StatusCode.OK
        # What only listens for a change of health does not hold up the end.
        assert server.wait() == 0
        assert "Traceback" not in server.log


def test_the_grace_ends_a_stream_that_takes_too_long() -> None:
    with (
        serving("--grace-seconds", "0.5") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        call = raw_sample(channel, large_request(2**38))
        next(call)
        server.signal(signal.SIGTERM)
        assert refusal(call).code == "UNAVAILABLE"
        assert server.wait() == 0
        assert re.search(r"WARNING the grace is over streams=1 oldest_seconds=\d+", server.log)


def test_a_lame_duck_answers_new_calls_though_it_is_not_healthy() -> None:
    with (
        serving("--lame-duck-seconds", "600") as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        watch = health_stub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        server.signal(signal.SIGTERM)
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        with sb.connect(server.address) as new:
            assert new.sample(SPEC, timeout_seconds=60).shape == SPEC.shape
        server.wait_for(r"INFO lame duck seconds_left=600 streams=0 oldest_seconds=0")
        server.signal(signal.SIGTERM)
        assert server.wait() == 143


def test_after_the_lame_duck_only_calls_under_way_go_on() -> None:
    with (
        serving("--lame-duck-seconds", "1", *LONG_GRACE) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        under_way = raw_sample(channel, large_request(2**28))
        next(under_way)
        began = time.monotonic()
        server.signal(signal.SIGTERM)
        server.wait_for(r"INFO draining seconds_left=600 streams=1 oldest_seconds=\d")
        assert time.monotonic() - began >= 1
        refused = refusal(stub(channel).SampleTensors(large_request(4), timeout=30))
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "DRAINING")
        assert refused.retry_seconds is not None
        for _ in under_way:
            pass
        assert under_way.code() is grpc.StatusCode.OK
        assert server.wait() == 0


def test_an_interrupt_from_a_terminal_skips_the_lame_duck() -> None:
    with serving("--lame-duck-seconds", "600") as server:
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        assert "lame duck" not in server.log


def test_a_terminal_that_closes_begins_a_drain() -> None:
    with serving() as server:
        server.signal(signal.SIGHUP)
        assert server.wait() == 0
        assert "INFO draining" in server.log


def test_the_log_says_what_a_drain_waits_for() -> None:
    with serving(*LONG_GRACE) as server, grpc.insecure_channel(server.address) as channel:
        call = raw_sample(channel, large_request(2**38))
        next(call)
        server.signal(signal.SIGTERM)
        server.wait_for_count("INFO draining", 2)
        call.cancel()
        assert server.wait() == 0
        lines = re.findall(
            r"INFO draining seconds_left=(\d+) streams=1 oldest_seconds=\d+", server.log
        )
        first, second = map(int, lines[:2])
        assert second < first == 600


def test_every_watcher_of_health_is_told_though_others_have_left() -> None:
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        watches = [
            health_stub(channel).Watch(health_pb2.HealthCheckRequest(service=name))
            for name in (SERVICE, SERVICE, SERVICE, "", "nobody")
        ]
        first = [next(each).status for each in watches]
        answers = health_pb2.HealthCheckResponse
        assert first == [*[answers.SERVING] * 4, answers.SERVICE_UNKNOWN]
        watches[0].cancel()
        with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
            health_stub(channel).Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=30)
        server.signal(signal.SIGTERM)
        assert [next(each).status for each in watches[1:4]] == [answers.NOT_SERVING] * 3


def test_a_watcher_of_health_that_reads_nothing_does_not_hold_up_the_end() -> None:
    with serving(*LONG_GRACE) as server, watcher_that_reads_nothing(server.address):
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_second_signal_ends_the_server_at_once(second: signal.Signals) -> None:
    with serving(*LONG_GRACE) as server, grpc.insecure_channel(server.address) as channel:
        call = raw_sample(channel, large_request(2**38))
        next(call)
        server.signal(signal.SIGTERM)
        server.wait_for("INFO stopping")
        server.signal(second)
        assert server.wait() == 143
        assert refusal(call).code == "UNAVAILABLE"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_server_that_compiles_can_be_ended(tmp_path: Path, number: signal.Signals) -> None:
    with server_process(environment={"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path)}) as server:
        with grpc.insecure_channel(server.address) as channel:
            health = health_stub(channel)
            answer = health.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=30)
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            starting = refusal(stub(channel).SampleTensors(large_request(4), timeout=30))
            assert (starting.code, starting.reason) == ("UNAVAILABLE", "STARTING")
            assert starting.retry_seconds is not None
        server.signal(number)
        assert server.wait() == 0
        assert not re.search(SERVING, server.log)
        assert "Traceback" not in server.log


def test_calls_that_meet_the_end_fail_as_unavailable_only() -> None:
    """What a client or a balancer may retry elsewhere is UNAVAILABLE, and nothing else."""

    def call_until_it_fails(address: str, is_busy: threading.Event) -> str:
        with sb.connect(address, patience_seconds=0) as client:
            for done in range(1_000_000):
                try:
                    if done % 2:
                        client.sample(SPEC)
                    else:
                        client.server_info()
                except sb.SeedbedError as error:
                    return type(error).__name__
                if done > 10:
                    is_busy.set()
        raise AssertionError("the server never ended")

    with serving(*LONG_GRACE) as server, ThreadPoolExecutor(CALLERS) as pool:
        events = [threading.Event() for _ in range(CALLERS)]
        calls = [pool.submit(call_until_it_fails, server.address, event) for event in events]
        assert all(event.wait(60) for event in events)
        server.signal(signal.SIGTERM)
        assert {call.result(60) for call in calls} == {"UnavailableError"}
        assert server.wait() == 0
        assert "Traceback" not in server.log
