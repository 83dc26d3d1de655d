"""Connections that break the rules of HTTP/2, or say nothing, disturb no other client."""

import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest

import seedbed as sb
from tests import servers
from tests.raw_calls import refusal, sample_request, stub, tensor
from tests.servers import ServerProcess, serving
from tests.waiting import wait_until

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
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


def _call(path: bytes) -> bytes:
    """Return the headers of a call of a method."""
    return b"".join(
        _header(name, value)
        for name, value in (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", path),
            (b":authority", b"localhost"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
        )
    )


CALL = _call(b"/seedbed.v1.SeedbedService/SampleTensors")
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
    "methods whose names are not UTF-8": HELLO
    + b"".join(
        _frame(
            HEADERS, _call(b"/a.B/\xff%d" % stream), flags=END_HEADERS | END_STREAM, stream=stream
        )
        for stream in range(1, 100, 2)
    ),
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
                socket.create_connection((host, int(port)), timeout=60)
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
            assert client.sample(SPEC, timeout_seconds=120).tobytes() == expected

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
            assert newcomer.sample(SPEC, timeout_seconds=120).tobytes() == expected
    good_client()
    assert server.process.poll() is None
    assert server.log.count("Traceback") == tracebacks
    # 20 times 4 MiB of headers are held until the connections are closed.
    assert server.memory - memory < 256 * 2**20
    _assert_memory_comes_back(server, memory)


def test_calls_that_are_reset_by_the_hundred_thousand_take_no_memory(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    # Headers that the connection's table knows are a byte each: 28 bytes a call.
    known = CALL.replace(b"\0", b"\x40", 6)
    again = bytes(0x80 | 62 + place for place in reversed(range(6)))
    resets = [
        _frame(HEADERS, known if stream == 1 else again, flags=END_HEADERS, stream=stream)
        + _frame(RST_STREAM, struct.pack(">I", 8), stream=stream)
        for stream in range(1, 200_001, 2)
    ]
    memory, most = server.memory, 0
    with _connections(server.address, 4, HELLO + _frame(SETTINGS, flags=ACK)) as attackers:
        for begin in range(0, len(resets), 5_000):
            for attacker in attackers:
                with suppress(OSError):
                    attacker.sendall(b"".join(resets[begin : begin + 5_000]))
            good_client()
            most = max(most, server.memory)
    assert most - memory < 128 * 2**20
    _assert_memory_comes_back(server, memory)


def test_settings_by_the_hundred_megabytes_take_no_memory(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    flood = _frame(SETTINGS, struct.pack(">HI", 4, 65_535) * 100) * 10_000

    def send(attacker: socket.socket) -> None:
        for _ in range(30):
            with suppress(OSError):
                attacker.sendall(flood)

    memory, most = server.memory, 0
    with _connections(server.address, 4, HELLO) as attackers, ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(send, attacker) for attacker in attackers]
        while not all(each.done() for each in floods):
            good_client()
            most = max(most, server.memory)
    assert most - memory < 64 * 2**20


def test_connections_beyond_the_limit_are_closed_and_disturb_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: bytes
) -> None:
    program = tmp_path / "seedbed-server"
    program.write_text(f'#!/bin/sh\nulimit -n 300\nexec {servers.PROGRAM} "$@"\n')
    program.chmod(0o700)
    monkeypatch.setattr(servers, "PROGRAM", str(program))
    with (
        serving("--admin-listen", "127.0.0.1:0") as small,
        sb.connect(small.address) as client,
    ):
        assert client.sample(SPEC).tobytes() == expected
        with _connections(small.address, 400, HELLO) as attackers:
            assert sum(map(_is_closed, attackers)) > 200
            assert client.sample(SPEC, timeout_seconds=120).tobytes() == expected
            assert "seedbed_build_info" in small.metrics
        assert "Traceback" not in small.log


def _is_closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1)
    except ConnectionResetError:
        return True


def _assert_memory_comes_back(server: ServerProcess, memory: int) -> None:
    deadline = time.monotonic() + 120
    while server.memory - memory > 64 * 2**20:
        assert time.monotonic() < deadline, f"{(server.memory - memory) / 2**20:.0f} MiB are kept"
        time.sleep(0.1)


def test_a_thousand_silent_connections_leave_room_for_a_client(
    server: ServerProcess, good_client: Callable[[], None]
) -> None:
    before = psutil.Process(server.process.pid).num_fds()
    with _connections(server.address, 500, b""), _connections(server.address, 500, HELLO):
        good_client()
    good_client()
    # They are closed when the server has read their end, which good_client's answer does not wait
    # for.
    wait_until(lambda: psutil.Process(server.process.pid).num_fds() <= before + 5)
    good_client()


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
