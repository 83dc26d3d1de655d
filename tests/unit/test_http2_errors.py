"""A server that breaks the protocol, or vanishes: the call ends soon, and leaves nothing open."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import grpc
import hpack
import pytest
from h2.settings import SettingCodes

from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import ConnectionLostError
from tests.free_addresses import free_address
from tests.http2_calls import SOON_SECONDS, connections_to, error_of, messages_of
from tests.http2_server import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    OK_HEADERS,
    PING,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    Answer,
    Exchange,
    prefixed,
    raw_frame,
    scripted_server,
)
from tests.left_open import nothing_left_open
from tests.waiting import within

Code = grpc.StatusCode
END_STREAM, END_HEADERS, PADDED = 0x1, 0x4, 0x8
NO_ERROR = 0


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


# Breaches of the protocol.


def _raw(frame: Callable[[int], bytes]) -> Answer:
    """Return an answer of bytes that are made for a stream; the server then waits."""

    def answer(exchange: Exchange) -> None:
        exchange.raw(frame(exchange.stream_id))
        exchange.hold()

    return answer


def _begun(frame: Callable[[int], bytes]) -> Answer:
    """Return the same after good headers and half a message."""

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"abc")[:-1])
        exchange.raw(frame(exchange.stream_id))
        exchange.hold()

    return answer


def _block(*headers: tuple[str, str]) -> bytes:
    return hpack.Encoder().encode(headers, huffman=False)


def _bomb() -> bytes:
    """Return 20 kB that are 80 MB of headers: one is put into the table, then repeated."""
    return _block(("x", "y" * 4000)) + b"\xbe" * 20_000


BREACHES: dict[str, tuple[Answer, grpc.StatusCode]] = {
    "headers that are no HPACK": (
        _raw(lambda stream: raw_frame(HEADERS, b"\xff" * 200, flags=END_HEADERS, stream=stream)),
        Code.UNAVAILABLE,
    ),
    "headers that are no text": (
        _raw(
            lambda stream: raw_frame(HEADERS, b"\0\1x\2\xff\xfe", flags=END_HEADERS, stream=stream)
        ),
        Code.UNAVAILABLE,
    ),
    "a header that is not in the table": (
        _raw(lambda stream: raw_frame(HEADERS, b"\xff\x20", flags=END_HEADERS, stream=stream)),
        Code.UNAVAILABLE,
    ),
    "headers that do not end": (
        _raw(
            lambda stream: (
                raw_frame(HEADERS, _block(*OK_HEADERS), stream=stream)
                + raw_frame(DATA, stream=stream)
            )
        ),
        Code.UNAVAILABLE,
    ),
    "headers that end on another stream": (
        _raw(
            lambda stream: (
                raw_frame(HEADERS, _block(*OK_HEADERS), stream=stream)
                + raw_frame(CONTINUATION, flags=END_HEADERS, stream=stream + 2)
            )
        ),
        Code.UNAVAILABLE,
    ),
    "headers of 100 kB": (
        _raw(
            lambda stream: raw_frame(
                HEADERS, _block(("x", "y" * 160_000)), flags=END_HEADERS, stream=stream
            )
        ),
        Code.UNAVAILABLE,
    ),
    "headers of 100 kB in pieces": (
        _raw(
            lambda stream: (
                raw_frame(HEADERS, _block(*OK_HEADERS), stream=stream)
                + raw_frame(CONTINUATION, _block(("x", "y" * 1000)), stream=stream) * 160
            )
        ),
        Code.UNAVAILABLE,
    ),
    "headers that are a bomb": (
        _raw(lambda stream: raw_frame(HEADERS, _bomb(), flags=END_HEADERS, stream=stream)),
        Code.UNAVAILABLE,
    ),
    "headers with too much padding": (
        _raw(
            lambda stream: raw_frame(HEADERS, b"\x05abc", flags=END_HEADERS | PADDED, stream=stream)
        ),
        Code.UNAVAILABLE,
    ),
    "padded headers without a byte": (
        _raw(lambda stream: raw_frame(HEADERS, flags=END_HEADERS | PADDED, stream=stream)),
        Code.UNAVAILABLE,
    ),
    "headers whose priority is cut off": (
        _raw(lambda stream: raw_frame(HEADERS, b"abc", flags=END_HEADERS | 0x20, stream=stream)),
        Code.UNAVAILABLE,
    ),
    "a continuation of nothing": (
        _begun(
            lambda stream: raw_frame(
                CONTINUATION, _block(*OK_HEADERS), flags=END_HEADERS, stream=stream
            )
        ),
        Code.UNAVAILABLE,
    ),
    "a promise to push": (
        _begun(
            lambda stream: raw_frame(
                PUSH_PROMISE, b"\0\0\0\2" + _block(*OK_HEADERS), flags=END_HEADERS, stream=stream
            )
        ),
        Code.UNAVAILABLE,
    ),
    "data before the headers": (
        _raw(lambda stream: raw_frame(DATA, b"abc", stream=stream)),
        Code.INTERNAL,
    ),
    "data with too much padding": (
        _begun(lambda stream: raw_frame(DATA, b"\x05abcd", flags=PADDED, stream=stream)),
        Code.INTERNAL,
    ),
    "padded data without a byte": (
        _begun(lambda stream: raw_frame(DATA, flags=PADDED, stream=stream)),
        Code.INTERNAL,
    ),
    "a ping that claims 16 MiB": (
        _begun(lambda _: raw_frame(PING, claimed=2**24 - 1)),
        Code.UNAVAILABLE,
    ),
    "settings that claim 16 MiB": (
        _begun(lambda _: raw_frame(SETTINGS, claimed=2**24 - 1)),
        Code.UNAVAILABLE,
    ),
    "headers that claim 16 MiB": (
        _raw(
            lambda stream: raw_frame(HEADERS, flags=END_HEADERS, stream=stream, claimed=2**24 - 1)
        ),
        Code.UNAVAILABLE,
    ),
    "a reset that claims 16 MiB": (
        _begun(lambda stream: raw_frame(RST_STREAM, stream=stream, claimed=2**24 - 1)),
        Code.UNAVAILABLE,
    ),
}


@pytest.mark.parametrize(("answer", "code"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_of_the_protocol_ends_the_call_and_the_connection(
    answer: Answer, code: grpc.StatusCode
) -> None:
    with (
        scripted_server(answer, lambda exchange: exchange.answer(b"next")) as server,
        connections_to(server) as connections,
    ):
        with within(0, SOON_SECONDS):
            assert error_of(connections).code() is code
        assert messages_of(connections) == [b"next"]
        assert len(server.lines) == 2


OTHER_PROTOCOLS = {
    "HTTP/1.1": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "TLS": bytes.fromhex("15030300020246"),
    "TLS, at length": bytes.fromhex("15030300020246") * 20,
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "zeros": bytes(1000),
    "a ping in place of settings": raw_frame(PING, bytes(8)),
    "headers in place of settings": raw_frame(
        HEADERS, _block(*OK_HEADERS), flags=END_HEADERS, stream=1
    ),
}


@pytest.mark.parametrize("greeting", OTHER_PROTOCOLS.values(), ids=OTHER_PROTOCOLS.keys())
def test_a_server_of_another_protocol_is_told_from_one_of_ours(greeting: bytes) -> None:
    def answer(exchange: Exchange) -> None:
        if len(greeting) >= 9:  # so many are enough to tell
            exchange.hold()
        exchange.line.close()

    with (
        scripted_server(answer, greeting=greeting) as server,
        connections_to(server) as connections,
    ):
        with within(0, SOON_SECONDS):
            error = error_of(connections)
        assert isinstance(error, ConnectionLostError)
        assert error.code() is Code.UNAVAILABLE


BAD_SETTINGS = {
    "frames of nothing": (SettingCodes.MAX_FRAME_SIZE, 0),
    "frames of less than 16 KiB": (SettingCodes.MAX_FRAME_SIZE, 2**14 - 1),
    "frames of 16 MiB": (SettingCodes.MAX_FRAME_SIZE, 2**24),
    "a window of 2 GiB": (SettingCodes.INITIAL_WINDOW_SIZE, 2**31),
}


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_settings_that_are_not_allowed_end_the_connection(name: int, value: int) -> None:
    """RFC 9113, section 6.5.2.

    What was sent with them would be cut into frames that nobody can write.
    """

    def answer(exchange: Exchange) -> None:
        exchange.raw(raw_frame(SETTINGS, name.to_bytes(2, "big") + value.to_bytes(4, "big")))
        exchange.answer(b"a")

    with (
        scripted_server(answer) as server,
        connections_to(server) as connections,
        within(0, SOON_SECONDS),
    ):
        assert error_of(connections).code() is Code.UNAVAILABLE


def test_a_frame_is_not_larger_than_http2_can_say() -> None:
    """A request of more than 16 MiB to a server that claims to take frames of any size."""

    def answer(exchange: Exchange) -> None:
        exchange.raw(raw_frame(SETTINGS, b"\0\5\xff\xff\xff\xff"))
        exchange.line.engine.increment_flow_control_window(2**30)
        exchange.line.engine.increment_flow_control_window(2**30, exchange.stream_id)
        exchange.line.flush()
        exchange.hold()

    with scripted_server(answer, is_eager=True) as server, connections_to(server) as connections:  # noqa: SIM117
        with within(0, SOON_SECONDS):
            assert error_of(connections, bytes(2**24 + 2**17)).code() is Code.UNAVAILABLE


# A server that goes away, or is gone.


def _goaway(last_stream: int, code: int = NO_ERROR, words: bytes = b"") -> bytes:
    return raw_frame(GOAWAY, last_stream.to_bytes(4, "big") + code.to_bytes(4, "big") + words)


@pytest.mark.parametrize("payload", [bytes(8), bytes(4), b"", bytes(8) + b"enough" * 100])
def test_a_call_that_a_leaving_server_will_not_answer_is_unavailable(payload: bytes) -> None:
    with (
        scripted_server(_raw(lambda _: raw_frame(GOAWAY, payload))) as server,
        connections_to(server) as connections,
        within(0, SOON_SECONDS),
    ):
        assert error_of(connections).code() is Code.UNAVAILABLE


def test_the_words_of_a_leaving_server_are_reported() -> None:
    answer = _raw(lambda _: _goaway(0, 11, b"too_many_pings"))
    with scripted_server(answer) as server, connections_to(server) as connections:
        assert "too_many_pings" in error_of(connections).details()


@pytest.mark.parametrize("last_stream", [1, 2**31 - 1])
def test_a_call_that_a_leaving_server_still_answers_ends_well(last_stream: int) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"abc")[:-1])
        exchange.raw(_goaway(last_stream))
        exchange.data(b"c")
        exchange.end()

    with (
        scripted_server(answer, lambda exchange: exchange.answer(b"next")) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections) == [b"abc"]
        assert messages_of(connections) == [b"next"]
        assert len(server.lines) == 2


def test_a_server_may_say_twice_that_it_leaves() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.raw(_goaway(2**31 - 1))
        exchange.start()
        exchange.raw(_goaway(1))
        exchange.data(prefixed(b"a"))
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"a"]


ENDS: dict[str, int] = {"nothing": 0, "half of the headers": 20, "all but the last byte": -1}


@pytest.mark.parametrize("is_rude", [False, True])
@pytest.mark.parametrize("cut", ENDS.values(), ids=ENDS.keys())
def test_a_server_that_closes_the_connection_after(cut: int, is_rude: bool) -> None:
    def answer(exchange: Exchange) -> None:
        engine = exchange.line.engine
        engine.send_headers(exchange.stream_id, OK_HEADERS)
        engine.send_data(exchange.stream_id, prefixed(b"abc"))
        engine.send_headers(exchange.stream_id, [("grpc-status", "0")], end_stream=True)
        exchange.raw(engine.data_to_send()[:cut])
        exchange.line.close(is_rude=is_rude)

    with (
        scripted_server(answer) as server,
        connections_to(server) as connections,
        within(0, SOON_SECONDS),
    ):
        error = error_of(connections)
        assert isinstance(error, ConnectionLostError)
        assert error.code() is Code.UNAVAILABLE
        assert error.trailing_metadata() == ()


def test_a_server_that_closes_the_connection_during_the_request() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.line.close(is_rude=True)

    with scripted_server(answer, is_eager=True) as server, connections_to(server) as connections:  # noqa: SIM117
        with within(0, SOON_SECONDS):
            assert error_of(connections, bytes(2**24)).code() is Code.UNAVAILABLE


def test_a_lost_connection_is_an_error_also_where_sigpipe_ends_a_program() -> None:
    """Programs that write to pipes often restore the signal.

    gRPC's own sockets never raise it.
    """
    script = """
import signal, socket
from seedbed.transports.http2.connection import Connection
from seedbed.transports.http2.errors import CallError

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
ours, theirs = socket.socketpair()
theirs.close()
connection = Connection(ours)
try:
    connection.write(b"x")
except CallError as error:
    print(error.code().name)
connection.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "UNAVAILABLE"), done.stderr


# Addresses at which nobody is.


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".invalid", "[::1", "999.1.1.1."])
def test_a_name_that_cannot_be_a_hosts_is_unavailable(host: str) -> None:
    with closing(Connections(Address(None, host, 1))) as connections, within(0, SOON_SECONDS):
        assert error_of(connections).code() is Code.UNAVAILABLE


@pytest.mark.parametrize("path", ["/nowhere/socket", "x" * 200, "a\0b"])
def test_a_path_that_cannot_be_a_servers_is_unavailable(path: str) -> None:
    with closing(Connections(Address(path, "", 0))) as connections:
        assert error_of(connections).code() is Code.UNAVAILABLE


def test_a_port_at_which_nobody_listens_is_unavailable() -> None:
    port = int(free_address().rpartition(":")[2])
    with (
        closing(Connections(Address(None, "127.0.0.1", port))) as connections,
        within(0, SOON_SECONDS),
    ):
        error = error_of(connections)
        assert error.code() is Code.UNAVAILABLE
        assert f"127.0.0.1:{port}" in error.details()
