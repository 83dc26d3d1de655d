"""Connections are reused, replaced when stale, never shared, and always closed."""

import gc
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import grpc
import pytest

import seedbed as sb
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connections import MOST_IDLE, Connections
from seedbed.transports.http2.errors import CallError, ConnectionLostError
from tests.http2_calls import SOON_SECONDS, call_of, connections_to, error_of, messages_of
from tests.http2_server import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    METHOD,
    PATIENCE_SECONDS,
    RST_STREAM,
    Answer,
    Exchange,
    ScriptedServer,
    prefixed,
    raw_frame,
    scripted_server,
)
from tests.left_open import nothing_left_open
from tests.waiting import wait_until

Code = grpc.StatusCode
# How grpcio words it, in one of its two ways.
CLOSED = r"^Cannot invoke RPC(: Channel closed| on closed channel)!$"


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


def _echo(exchange: Exchange) -> None:
    exchange.answer(exchange.message)


def _waiting(seconds: float = 0.05) -> Answer:
    """Return an answer that takes a while, so that calls are under way together."""

    def answer(exchange: Exchange) -> None:
        exchange.hold(seconds)
        _echo(exchange)

    return answer


# One call after another.


def test_one_connection_does_for_calls_one_after_another() -> None:
    with scripted_server(_echo) as server, connections_to(server) as connections:
        for n in range(300):
            assert messages_of(connections, str(n).encode()) == [str(n).encode()]
        assert len(server.lines) == 1
        assert [each.stream_id for each in server.exchanges] == list(range(1, 601, 2))


def test_a_connection_whose_streams_are_used_up_is_replaced() -> None:
    """Their numbers are odd, and end at 2**31 - 1."""
    with scripted_server(_echo) as server, connections_to(server) as connections:
        messages_of(connections)
        (connection,) = connections._idle
        connection._last_stream_id = 2**31 - 5
        for _ in range(4):
            assert messages_of(connections, b"again") == [b"again"]
        assert [each.stream_id for each in server.exchanges] == [1, 2**31 - 3, 2**31 - 1, 1, 3]


def _close(exchange: Exchange) -> None:
    exchange.line.close()


def _close_rudely(exchange: Exchange) -> None:
    exchange.line.close(is_rude=True)


def _leave(exchange: Exchange) -> None:
    exchange.raw(raw_frame(GOAWAY, exchange.stream_id.to_bytes(4, "big") + bytes(4)))


def _leave_and_close(exchange: Exchange) -> None:
    _leave(exchange)
    exchange.line.close()


def _break_the_protocol(exchange: Exchange) -> None:
    exchange.raw(raw_frame(CONTINUATION, stream=exchange.stream_id))


FAREWELLS: dict[str, Answer] = {
    "closes it": _close,
    "resets it": _close_rudely,
    "says that it leaves": _leave,
    "says that it leaves, and closes it": _leave_and_close,
    "breaks the protocol": _break_the_protocol,
}


@pytest.mark.parametrize("farewell", FAREWELLS.values(), ids=FAREWELLS.keys())
def test_an_idle_connection_is_replaced_without_an_error_when_the_server(farewell: Answer) -> None:
    """It does so when the client has read the answer, and before the next call."""
    is_read, is_said = threading.Semaphore(0), threading.Semaphore(0)

    def answer(exchange: Exchange) -> None:
        _echo(exchange)
        assert is_read.acquire(timeout=PATIENCE_SECONDS)
        farewell(exchange)
        is_said.release()

    with scripted_server(answer) as server, connections_to(server) as connections:
        for n in range(3):
            assert messages_of(connections, str(n).encode()) == [str(n).encode()]
            is_read.release()
            assert is_said.acquire(timeout=PATIENCE_SECONDS)
            (idle,) = connections._idle
            wait_until(idle._has_input)
        assert len(server.lines) == 3


@pytest.mark.parametrize("end", [_close, _close_rudely], ids=["closed", "reset"])
def test_a_call_on_an_idle_connection_that_ends_under_it_is_sent_again(end: Answer) -> None:
    """The server closes it after reading the second request, and answers on another."""

    def answer(exchange: Exchange) -> None:
        (end if exchange.stream_id == 3 else _echo)(exchange)

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections, b"first") == [b"first"]
        assert messages_of(connections, b"second") == [b"second"]
        assert [(each.stream_id, each.message) for each in server.exchanges] == [
            (1, b"first"),
            (3, b"second"),
            (1, b"second"),
        ]


def test_a_call_on_a_new_connection_is_not_sent_again() -> None:
    with scripted_server(_close) as server, connections_to(server) as connections:
        assert error_of(connections).code() is Code.UNAVAILABLE
        assert len(server.exchanges) == 1


def test_a_call_whose_answer_has_begun_is_not_sent_again() -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.stream_id == 1:
            _echo(exchange)
        else:
            exchange.start()
            exchange.line.close()

    with scripted_server(answer) as server, connections_to(server) as connections:
        messages_of(connections)
        assert isinstance(error_of(connections), ConnectionLostError)
        assert len(server.exchanges) == 2


def test_a_call_whose_answer_began_during_the_request_is_not_sent_again() -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.stream_id == 3:
            exchange.line.pump(lambda: exchange.line.engine.inbound_flow_control_window == 0)
            exchange.start()
            exchange.line.close()
        elif exchange.line is exchange.line.server.lines[0]:
            exchange.line.pump(lambda: exchange.is_ended)
            exchange.answer()
        else:
            exchange.line.close(is_rude=True)

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        messages_of(connections)
        assert isinstance(error_of(connections, bytes(100_000)), ConnectionLostError)
        assert len(server.exchanges) == 2


def test_half_a_frame_on_an_idle_connection_takes_no_longer_than_the_call() -> None:
    """And leaves no connection behind that nobody closes."""

    def answer(exchange: Exchange) -> None:
        _echo(exchange)
        exchange.raw(b"\0\0\x08")
        exchange.hold()

    with scripted_server(answer) as server, connections_to(server) as connections:
        messages_of(connections)
        time.sleep(0.05)
        begin = time.monotonic()
        assert error_of(connections, timeout_seconds=0.3).code() is Code.DEADLINE_EXCEEDED
        assert time.monotonic() - begin < SOON_SECONDS
        assert not connections._busy
        assert not connections._idle


# Calls that are not read to their end.


def test_a_cancelled_call_is_reset_and_its_connection_used_again() -> None:
    """What the server sends of it until it knows is skipped.

    That is data, padding, trailers and a reset of its own.
    """
    go_on = threading.Event()

    def endless(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"first"))
        go_on.wait(PATIENCE_SECONDS)
        for _ in range(20):
            exchange.data(prefixed(bytes(30_000)), pad=100)
        block = exchange.line.engine.encoder.encode(
            [("grpc-status", "0"), ("x-new", "in the table")]
        )
        exchange.raw(raw_frame(HEADERS, block[:5], flags=0x1, stream=exchange.stream_id))
        exchange.raw(raw_frame(CONTINUATION, block[5:], flags=0x4, stream=exchange.stream_id))
        exchange.raw(raw_frame(RST_STREAM, bytes(4), stream=exchange.stream_id))
        exchange.line.pump(lambda: exchange.reset_code is not None)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"second"))
        exchange.start([("grpc-status", "0"), ("x-new", "in the table")], end=True)

    with scripted_server(endless, answer) as server, connections_to(server) as connections:
        with call_of(connections, b"") as call:
            assert call.read(call.next_message() or 0) == b"first"
            call.cancel()
        go_on.set()
        assert messages_of(connections) == [b"second"]
        assert messages_of(connections) == [b"second"]
        assert server.exchanges[0].reset_code == 8
        assert len(server.lines) == 1


@pytest.mark.parametrize("pad", [None, 0, 50])
def test_a_call_may_be_cancelled_where_a_frame_has_more_in_it(pad: int | None) -> None:
    """The rest of the frame is not taken for frames, not even where it looks like some."""

    def answer(exchange: Exchange) -> None:
        forged = raw_frame(DATA, prefixed(b"forged"), stream=exchange.stream_id + 2)
        exchange.start()
        exchange.data(prefixed(b"first") + prefixed(forged), pad=pad)
        exchange.line.pump(lambda: exchange.reset_code is not None)

    with scripted_server(answer, _echo) as server, connections_to(server) as connections:
        with call_of(connections, b"") as call:
            assert call.read(call.next_message() or 0) == b"first"
            call.cancel()
        assert messages_of(connections, b"second") == [b"second"]


def test_a_call_that_has_ended_is_not_cancelled_any_more() -> None:
    with scripted_server(_echo) as server, connections_to(server) as connections:
        with call_of(connections, b"a") as call:
            assert call.read(call.next_message() or 0) == b"a"
            assert call.next_message() is None
            call.cancel()
        assert messages_of(connections, b"b") == [b"b"]
        assert server.exchanges[0].reset_code is None


@pytest.mark.parametrize(
    "error", [ValueError(), KeyboardInterrupt(), ConnectionLostError("of another call")]
)
def test_a_call_that_its_reader_leaves_is_ended_with_its_connection(error: BaseException) -> None:
    def endless(exchange: Exchange) -> None:
        exchange.start()
        while True:
            exchange.data(prefixed(bytes(1000)))

    def leave() -> None:
        with call_of(connections, b"") as call:
            assert call.read(call.next_message() or 0) == bytes(1000)
            raise error

    with scripted_server(endless, _echo) as server, connections_to(server) as connections:
        with pytest.raises(type(error)):
            leave()
        server.wait_for(lambda: server.lines[0].is_closed)
        assert not connections._busy
        assert messages_of(connections, b"next") == [b"next"]
        assert len(server.lines) == 2


def test_a_call_that_is_not_read_to_its_end_leaves_nothing_to_the_next() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.answer(b"first", b"second", b"third")

    with scripted_server(answer, _echo) as server, connections_to(server) as connections:
        with call_of(connections, b"") as call:
            assert call.next_message() == 5
        assert messages_of(connections, b"next") == [b"next"]


class _InterruptError(BaseException):
    pass


@pytest.mark.parametrize("is_begun", [False, True])
def test_an_interrupt_during_a_read_closes_the_connection(is_begun: bool) -> None:
    """Raised by a signal's handler, as a KeyboardInterrupt is."""
    reader = threading.get_ident()

    def silent(exchange: Exchange) -> None:
        if is_begun:
            exchange.start()
            exchange.raw(
                raw_frame(DATA, prefixed(bytes(2**20))[:1000], stream=1, claimed=2**20 + 5)
            )
        exchange.hold(0.2)  # until the client waits
        signal.pthread_kill(reader, signal.SIGALRM)
        exchange.hold()

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise _InterruptError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with scripted_server(silent, _echo) as server, connections_to(server) as connections:
            begin = time.monotonic()
            with pytest.raises(_InterruptError):
                messages_of(connections)
            assert time.monotonic() - begin < SOON_SECONDS
            assert not connections._busy
            assert not connections._idle
            assert messages_of(connections, b"next") == [b"next"]
            assert len(server.lines) == 2
    finally:
        signal.signal(signal.SIGALRM, before)


# Several threads.


def test_calls_at_once_have_a_connection_each_and_their_own_answers() -> None:
    def ask(n: int) -> None:
        for k in range(10):
            message = f"{n} {k}".encode() * 5000
            assert messages_of(connections, message) == [message]

    with (
        scripted_server(_waiting(0.005)) as server,
        connections_to(server) as connections,
        ThreadPoolExecutor(MOST_IDLE) as pool,
    ):
        for done in [pool.submit(ask, n) for n in range(MOST_IDLE)]:
            done.result()
        assert 1 < len(server.lines) <= MOST_IDLE
        assert len(connections._idle) == len(server.lines)
        assert not connections._busy


def test_no_more_than_a_few_idle_connections_are_kept() -> None:
    together = threading.Barrier(MOST_IDLE + 4)

    def answer(exchange: Exchange) -> None:
        together.wait(PATIENCE_SECONDS)
        _echo(exchange)

    with (
        scripted_server(answer) as server,
        connections_to(server) as connections,
        ThreadPoolExecutor(MOST_IDLE + 4) as pool,
    ):
        for done in [pool.submit(messages_of, connections) for _ in range(MOST_IDLE + 4)]:
            done.result()
        assert len(server.lines) == MOST_IDLE + 4
        assert len(connections._idle) == MOST_IDLE
        server.wait_for(lambda: sum(line.is_closed for line in server.lines) == 4)


# Closing.


def _closed_during(
    call: Callable[[Connections], object],
    answer: Answer,
    *,
    has_begun: Callable[[ScriptedServer], bool] = lambda server: bool(server.exchanges),
    **server_options: bool,
) -> None:
    """Close the connections while a call is under way; it must end as gRPC's do."""
    with scripted_server(answer, **server_options) as server:  # type: ignore[arg-type]  # flags
        connections = server.connections()
        ended: list[BaseException | object] = []

        def run() -> None:
            try:
                ended.append(call(connections))
            except CallError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: has_begun(server))
        time.sleep(0.3)
        begin = time.monotonic()
        connections.close()
        thread.join(SOON_SECONDS)
        assert time.monotonic() - begin < SOON_SECONDS
        (error,) = ended
        assert isinstance(error, CallError)
        assert (error.code(), error.details()) == (Code.CANCELLED, "Channel closed!")
        assert not connections._busy
        assert not connections._idle


def _silent(exchange: Exchange) -> None:
    exchange.hold()


def _silent_inside_a_message(exchange: Exchange) -> None:
    exchange.start()
    exchange.raw(raw_frame(DATA, prefixed(bytes(2**20))[:1000], stream=1, claimed=2**20 + 5))
    exchange.hold()


def _busy(exchange: Exchange) -> None:
    exchange.start()
    while True:
        exchange.data(prefixed(bytes(1000)))


@pytest.mark.parametrize(
    "answer", [_silent, _silent_inside_a_message, _busy], ids=["silent", "inside", "busy"]
)
@pytest.mark.parametrize("timeout_seconds", [None, 60.0])
def test_closing_ends_the_calls_of_other_threads(
    answer: Answer, timeout_seconds: float | None
) -> None:
    _closed_during(
        lambda connections: messages_of(connections, timeout_seconds=timeout_seconds), answer
    )


def test_closing_ends_a_call_that_has_no_room_to_send() -> None:
    _closed_during(
        lambda connections: messages_of(connections, bytes(300_000), None),
        _silent,
        is_eager=True,
        is_generous=False,
    )


def test_closing_ends_a_call_whose_request_is_not_read() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.line.engine.increment_flow_control_window(2**30)
        exchange.line.engine.increment_flow_control_window(2**30, exchange.stream_id)
        exchange.line.flush()
        exchange.hold()

    _closed_during(
        lambda connections: messages_of(connections, bytes(2**26), None), answer, is_eager=True
    )


def test_closing_ends_a_call_whose_idle_connection_has_half_a_frame() -> None:
    def answer(exchange: Exchange) -> None:
        _echo(exchange)
        exchange.raw(b"\0\0\x08")

    having_half: list[Connections] = []

    def call(connections: Connections) -> list[bytes]:
        messages_of(connections)
        time.sleep(0.05)
        having_half.append(connections)
        return messages_of(connections)

    _closed_during(call, answer, has_begun=lambda _: any(each._busy for each in having_half))


def test_closed_connections_take_no_calls() -> None:
    with scripted_server(_echo) as server:
        connections = server.connections()
        messages_of(connections)
        connections.close()
        for _ in range(2):
            with pytest.raises(ValueError, match=CLOSED):
                messages_of(connections)
        connections.close()
        server.wait_for(lambda: server.lines[0].is_closed)
        with grpc.insecure_channel(server.target) as channel:
            pass
        with pytest.raises(ValueError, match=CLOSED):
            channel.unary_stream(METHOD, request_serializer=bytes, response_deserializer=bytes)(b"")


def test_a_client_that_is_closed_says_so() -> None:
    spec = sb.TensorSpec("w", (3,), "float32", sb.Zeros())
    with scripted_server(_silent) as server:
        client = sb.connect(server.target, patience_seconds=0)
        ended: list[Exception] = []

        def run() -> None:
            try:
                client.sample(spec)
            except sb.SeedbedError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        server.wait_for(lambda: bool(server.exchanges))
        client.close()
        thread.join(PATIENCE_SECONDS)
        (error,) = ended
        assert isinstance(error, sb.CancelledError)
        with pytest.raises(sb.CancelledError):
            client.sample(spec)


def test_closing_while_a_call_connects_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Address.connect
    begun, closed = threading.Event(), threading.Event()

    def slow(address: Address, timeout_seconds: float, cancellation: Cancellation) -> socket.socket:
        begun.set()
        closed.wait(PATIENCE_SECONDS)
        return connect(address, timeout_seconds, cancellation)

    monkeypatch.setattr(Address, "connect", slow)
    with scripted_server(_echo) as server, ThreadPoolExecutor(1) as pool:
        connections = server.connections()
        done = pool.submit(error_of, connections)
        assert begun.wait(PATIENCE_SECONDS)
        connections.close()
        closed.set()
        assert done.result().code() is Code.CANCELLED
        assert not connections._busy


def test_connections_that_nobody_closed_are_closed_without_a_word() -> None:
    """As gRPC's channels are."""
    gc.collect()
    with scripted_server(_echo) as server, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        connections = server.connections()
        messages_of(connections)
        del connections
        gc.collect()
        server.wait_for(lambda: server.lines[0].is_closed)
        assert not [each for each in told if each.category is ResourceWarning]
