"""Failures between client and server become our errors, say what to do, and leave nothing."""

import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

import seedbed as sb
from seedbed.client import BATCH_TENSORS
from tests.integration.liars import digests_after_a_second, lying_server
from tests.raw_calls import MIB, raw_sample, sample_request, tensor
from tests.servers import ServerProcess, serving

SPEC = sb.TensorSpec("w", (1000,), "float32", sb.RandomUniform(seed=1))
# Minutes of work, so that no test races with its end.
HUGE = sb.TensorSpec("h", (2**37,), "bfloat16", sb.RandomUniform(seed=1))
SLOW = sb.TensorSpec("o", (4096, 4096), "float32", sb.Orthogonal(seed=1))
MANIFEST = sb.Manifest([SPEC])
CANCELLED_STREAMS = 200

Call = Callable[[sb.Client], Any]


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address on which nobody listens, and nobody can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def _read(chunks: Iterator[Any]) -> None:
    for _ in chunks:
        pass


EVERY_CALL: dict[str, Call] = {
    "sample": lambda client: client.sample(SPEC),
    "sample_all": lambda client: client.sample_all(MANIFEST),
    "chunks": lambda client: _read(client.chunks(SPEC)),
    "describe": lambda client: client.describe(SPEC),
    "describe_all": lambda client: client.describe_all(MANIFEST),
    "digest": lambda client: client.digest(SPEC),
    "digest_all": lambda client: client.digest_all(MANIFEST),
    "server_info": lambda client: client.server_info(),
    "list_initializers": lambda client: client.list_initializers(),
    "wait_ready": lambda client: client.wait_ready(1.0),
    "an initializer": lambda client: sb.Zeros()((3,), client=client),
}
LONG_CALLS: dict[str, Callable[[sb.Client, float | None], Any]] = {
    "chunks": lambda client, seconds: _read(client.chunks(HUGE, timeout_seconds=seconds)),
    "digest": lambda client, seconds: client.digest(HUGE, timeout_seconds=seconds),
    "orthogonal": lambda client, seconds: client.digest(SLOW, timeout_seconds=seconds),
}


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL.keys())
def test_a_call_to_nobody_says_so(nobody: str, call: Call) -> None:
    with (
        sb.connect(nobody, patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError, match=r"check that seedbed-server runs") as caught,
    ):
        call(client)
    assert isinstance(caught.value, ConnectionError)
    assert nobody in str(caught.value)


@pytest.mark.parametrize("call", EVERY_CALL.values(), ids=EVERY_CALL.keys())
@pytest.mark.parametrize("is_embedded", [False, True], ids=["server", "embedded"])
def test_a_call_of_a_closed_client_says_so(
    server: ServerProcess, call: Call, is_embedded: bool
) -> None:
    """The engine, too, so that a program that was tried with it works with a server."""
    client = sb.connect("embedded:" if is_embedded else server.address)
    client.close()
    client.close()
    with pytest.raises(sb.CancelledError, match="connect again"):
        call(client)


def test_a_call_through_a_proxy_that_fails_names_the_proxy(
    server: ServerProcess, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gRPC says has the proxy's address alone, which the user may never have seen."""
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://{nobody}")
    with (
        sb.connect(server.address, patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError, match=r"the proxy in \$http_proxy, unless \$no_proxy"),
    ):
        client.server_info()


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_a_deadline_ends_a_call(
    server: ServerProcess, call: Callable[[sb.Client, float | None], Any]
) -> None:
    with (
        sb.connect(server.address) as client,
        pytest.raises(sb.DeadlineError, match="allow more with timeout_seconds") as caught,
    ):
        call(client, 0.3)
    assert isinstance(caught.value, TimeoutError)
    assert "0.3 s" in str(caught.value)


def test_a_deadline_covers_all_batches_of_a_manifest() -> None:
    """A manifest of many tensors travels in several calls, which share one time limit."""
    specs = [sb.TensorSpec(str(i), (), "float32", sb.Zeros()) for i in range(2 * BATCH_TENSORS)]
    manifest = sb.Manifest(specs)
    answer = digests_after_a_second(specs[:BATCH_TENSORS], specs[BATCH_TENSORS:])
    seconds_left: list[float] = []

    with (
        lying_server({"DigestTensors": answer}, seconds_left) as address,
        sb.connect(address) as client,
    ):
        # gRPC rounds longer time limits up to whole minutes on the wire.
        assert len(client.digest_all(manifest, timeout_seconds=90)) == 2 * BATCH_TENSORS
    assert len(seconds_left) == 2
    assert seconds_left[1] < seconds_left[0] - 0.9


@pytest.mark.parametrize("call", LONG_CALLS.values(), ids=LONG_CALLS.keys())
def test_closing_the_client_ends_calls_of_other_threads(
    server: ServerProcess, call: Callable[[sb.Client, float | None], Any]
) -> None:
    client = sb.connect(server.address)
    before, started = server.log.count("code=CANCELLED"), server.metric("grpc_server_started_total")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call, client, None)
        while server.metric("grpc_server_started_total") == started:
            assert not running.done()
        client.close()
        with pytest.raises(sb.CancelledError, match=r"call again|connect again"):
            running.result(60)
    server.wait_for_count("code=CANCELLED", before + 1)


def test_a_server_that_is_killed_in_a_stream_is_unavailable() -> None:
    with serving() as server, sb.connect(server.address, patience_seconds=0.5) as client:
        chunks = client.chunks(HUGE)
        next(chunks)
        server.signal(signal.SIGKILL)
        with pytest.raises(sb.UnavailableError, match="check that seedbed-server runs"):
            _read(chunks)
        server.wait()
        with pytest.raises(sb.UnavailableError):
            client.digest(HUGE)


def test_a_reader_that_stops_reading_stops_the_server(server: ServerProcess) -> None:
    before = server.log.count("code=CANCELLED")
    with sb.connect(server.address) as client:
        chunks = client.chunks(HUGE)
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
        server.wait_for_count("code=CANCELLED", before + 1)
        dropped = client.chunks(HUGE)
        next(dropped)
        del dropped
        gc.collect()
        server.wait_for_count("code=CANCELLED", before + 2)


def _interrupt(chunks: Iterator[Any]) -> None:
    for _ in chunks:
        raise KeyboardInterrupt


def test_an_interrupt_of_the_reader_stops_the_server(server: ServerProcess) -> None:
    before = server.log.count("code=CANCELLED")
    with sb.connect(server.address) as client:
        with pytest.raises(KeyboardInterrupt):
            _interrupt(client.chunks(HUGE))
        server.wait_for_count("code=CANCELLED", before + 1)


def test_cancelled_streams_give_everything_back() -> None:
    endless = sample_request(tensor((2**36,)), max_chunk_bytes=65_536)
    with (
        # Of these, one client may have 16.
        serving("--max-concurrent-streams", "31") as server,
        grpc.insecure_channel(server.address) as channel,
    ):

        def start_and_cancel(count: int) -> None:
            for _ in range(count):
                call = raw_sample(channel, endless)
                next(call)
                call.cancel()

        def all_ended(count: int) -> None:
            server.wait_for_count("code=CANCELLED", count)

        for done in range(16):
            start_and_cancel(1)
            all_ended(done + 1)
        memory, threads = server.memory, server.threads
        ended = 16
        while ended < 16 + CANCELLED_STREAMS:
            start_and_cancel(10)
            ended += 10
            all_ended(ended)
        assert server.threads <= threads + 16
        assert server.memory - memory < 128 * MIB
        # Every place is free again, at the same time.
        calls = [raw_sample(channel, endless) for _ in range(16)]
        for call in calls:
            next(call)
        for call in calls:
            call.cancel()
        all_ended(ended + 16)
        assert "Traceback" not in server.log


def test_a_hundred_threads_share_one_client(server: ServerProcess) -> None:
    with sb.connect(server.address) as client, ThreadPoolExecutor(32) as pool:
        expected = client.sample(SPEC).tobytes()
        together = threading.Barrier(32)

        def use(number: int) -> bool:
            if number < 32:
                together.wait(60)
            return client.sample(SPEC).tobytes() == expected

        assert all(pool.map(use, range(100)))
