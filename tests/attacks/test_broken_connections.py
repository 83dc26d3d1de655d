"""Connections that break the rules of HTTP/2, or say nothing, disturb no other client."""

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import grpc
import numpy as np
import psutil
import pytest

import seedbed as sb
from tests.raw_calls import refusal, sample_request, stub, tensor
from tests.servers import ServerProcess

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
CONNECTIONS = 20


def _frame(
    kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0, claimed: int | None = None
) -> bytes:
    """Return an HTTP/2 frame; ``claimed`` is a length that is not the payload's."""
    size = len(payload) if claimed is None else claimed
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _header(name: bytes, value: bytes) -> bytes:
    """Return a header as HPACK writes it without indexing or compression."""

    def text(data: bytes) -> bytes:
        if len(data) < 127:
            return bytes([len(data)]) + data
        rest, digits = len(data) - 127, [127]
        while rest > 0x7F:
            digits.append(rest & 0x7F | 0x80)
            rest >>= 7
        return bytes([*digits, rest]) + data

    return b"\0" + text(name) + text(value)


CALL = b"".join(
    _header(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/seedbed.v1.SeedbedService/SampleTensors"),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    )
)
HELLO = PREFACE + _frame(SETTINGS)
SPEC = sb.TensorSpec("w", (70_000,), "float32", sb.RandomUniform(seed=1))

GARBAGE = {
    "nothing": b"",
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a TLS hello": bytes.fromhex("1603010200010001fc0303") + bytes(500),
    "noise": bytes(range(256)) * 40,
    "half a preface": PREFACE[:10],
    "a preface and noise": PREFACE + bytes(range(256)) * 10,
    "a frame that claims 16 MiB": HELLO + _frame(DATA, b"x", stream=1, claimed=2**24 - 1),
    "data without a stream": HELLO + _frame(DATA, b"x" * 100, stream=5),
    "headers of an even stream": HELLO + _frame(HEADERS, CALL, flags=END_HEADERS, stream=2),
    "headers that are no HPACK": HELLO
    + _frame(HEADERS, b"\xff" * 200, flags=END_HEADERS, stream=1),
    "headers without an end": HELLO + _frame(HEADERS, CALL, stream=1),
    "headers of 4 MiB": HELLO
    + _frame(HEADERS, CALL, stream=1)
    + _frame(CONTINUATION, _header(b"x", b"y" * 16_000), stream=1) * 260,
    "a call without a message": HELLO
    + _frame(HEADERS, CALL, flags=END_HEADERS | END_STREAM, stream=1),
    "a call whose message never ends": HELLO
    + _frame(HEADERS, CALL, flags=END_HEADERS, stream=1)
    + _frame(DATA, b"\0\0\x10\0\0abc", stream=1),
    "a call whose message claims 4 GiB": HELLO
    + _frame(HEADERS, CALL, flags=END_HEADERS, stream=1)
    + _frame(DATA, b"\0\xff\xff\xff\xff", stream=1),
    "calls that are reset at once": HELLO
    + b"".join(
        _frame(HEADERS, CALL, flags=END_HEADERS, stream=stream)
        + _frame(RST_STREAM, struct.pack(">I", 8), stream=stream)
        for stream in range(1, 2001, 2)
    ),
    "a flood of pings": HELLO + _frame(PING, bytes(8)) * 2000,
    "a flood of settings": HELLO + _frame(SETTINGS) * 2000,
    "an unknown frame": HELLO + _frame(0x77, b"future"),
}


@contextmanager
def _connections(address: str, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    """Hold open connections over which some bytes were sent; a server may well have closed them."""
    host, _, port = address.rpartition(":")
    with ExitStack() as stack:
        opened = []
        for _ in range(count):
            connection = stack.enter_context(
                socket.create_connection((host, int(port)), timeout=10)
            )
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            opened.append(connection)
        yield opened


@pytest.fixture(scope="module")
def expected(server: ServerProcess) -> bytes:
    with sb.connect(server.address) as client:
        return client.sample(SPEC).tobytes()


@pytest.fixture
def good_client(server: ServerProcess, expected: bytes) -> Iterator[Callable[[], None]]:
    """What a client that keeps the rules does; its connection was there before the others."""
    with sb.connect(server.address) as client:

        def use() -> None:
            assert client.sample(SPEC, timeout_seconds=30).tobytes() == expected

        use()
        yield use


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_client_is_served_beside_connections_that_send(
    server: ServerProcess, good_client: Callable[[], None], expected: bytes, data: bytes
) -> None:
    tracebacks = server.log.count("Traceback")
    memory = server.memory
    with _connections(server.address, CONNECTIONS, data):
        for _ in range(3):
            good_client()
        with sb.connect(server.address) as newcomer:
            assert newcomer.sample(SPEC, timeout_seconds=30).tobytes() == expected
    good_client()
    assert server.process.poll() is None
    assert server.log.count("Traceback") == tracebacks
    # Allocators keep what a flood of calls took; it grows no further when the flood is repeated.
    assert server.memory - memory < 384 * 2**20


def test_a_thousand_silent_connections_leave_room_for_a_client(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    before = psutil.Process(server.process.pid).num_fds()
    with _connections(server.address, 500, b""), _connections(server.address, 500, HELLO):
        good_client()
    good_client()
    # They are closed when the server has read their end, which good_client's next answers do not
    # wait for.
    for _ in range(200):
        if psutil.Process(server.process.pid).num_fds() <= before + 5:
            break
        good_client()
    assert psutil.Process(server.process.pid).num_fds() <= before + 5


def test_huge_metadata_is_refused_and_harms_nobody(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        for metadata in ([("x", "y" * 300_000)], [(f"x{i}", "y") for i in range(20_000)]):
            call = stub(channel).SampleTensors(
                sample_request(tensor()), metadata=metadata, timeout=30
            )
            assert refusal(call).code == "RESOURCE_EXHAUSTED"
            good_client()


def test_a_client_that_reads_nothing_disturbs_nobody(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    request = sample_request(tensor((2**33,), dtype=2)).SerializeToString()
    body = b"\0" + struct.pack(">I", len(request)) + request
    calls = HELLO + b"".join(
        _frame(HEADERS, CALL, flags=END_HEADERS, stream=stream)
        + _frame(DATA, body, flags=END_STREAM, stream=stream)
        for stream in (1, 3)
    )
    memory = server.memory
    with _connections(server.address, 10, calls):
        for _ in range(5):
            good_client()
        assert server.memory - memory < 512 * 2**20
    good_client()


def test_the_array_that_a_disturbed_client_gets_is_right(server: ServerProcess) -> None:
    with (
        _connections(server.address, CONNECTIONS, PREFACE + bytes(2000)),
        sb.connect(server.address) as client,
    ):
        ones = client.sample(sb.TensorSpec("", (1000, 3), "int16", sb.Ones()))
    assert np.array_equal(ones, np.ones((1000, 3), np.int16))
