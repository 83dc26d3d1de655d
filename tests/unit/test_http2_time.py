"""Deadlines end a call, and a silent server is asked for a sign of life."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import grpc
import pytest
from h2.settings import SettingCodes

from seedbed.transports.http2 import connection as http2_connection
from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connection import Connection
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import CallError, ConnectionLostError, SilentError
from seedbed.transports.try_limits import ALONE, STALL_SECONDS, TryLimits
from tests.http2_calls import SOON_SECONDS, call_of, connections_to, error_of, messages_of
from tests.http2_server import (
    DATA,
    OK_HEADERS,
    PATIENCE_SECONDS,
    PING,
    Answer,
    Exchange,
    prefixed,
    raw_frame,
    scripted_server,
)
from tests.left_open import nothing_left_open
from tests.waiting import LATE_SECONDS, within

Code = grpc.StatusCode
SHORT_SECONDS = 0.2


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


# Limits of time.


def _silent(exchange: Exchange) -> None:
    exchange.hold()


def _silent_after_headers(exchange: Exchange) -> None:
    exchange.start()
    exchange.hold()


def _silent_inside_a_small_message(exchange: Exchange) -> None:
    exchange.start()
    exchange.data(prefixed(b"abc")[:-1])
    exchange.hold()


def _silent_inside_a_large_message(exchange: Exchange) -> None:
    exchange.start()
    exchange.data(prefixed(bytes(2**20))[:-1])
    exchange.hold()


def _silent_inside_a_large_frame(exchange: Exchange) -> None:
    exchange.start()
    exchange.raw(
        raw_frame(DATA, prefixed(bytes(2**20))[:-1], stream=exchange.stream_id, claimed=2**20 + 5)
    )
    exchange.hold()


def _trickling(data: bytes) -> Answer:
    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.raw(
            raw_frame(
                DATA, prefixed(bytes(2**20))[:5], stream=exchange.stream_id, claimed=2**20 + 5
            )
        )
        while True:
            exchange.raw(data)
            exchange.hold(0.02)

    return answer


def _busy_with_pings(exchange: Exchange) -> None:
    while True:
        exchange.raw(raw_frame(PING, bytes(8)))
        exchange.hold(0.02)


SLOW: dict[str, Answer] = {
    "is silent": _silent,
    "is silent after the headers": _silent_after_headers,
    "is silent inside a small message": _silent_inside_a_small_message,
    "is silent inside a large message": _silent_inside_a_large_message,
    "is silent inside a large frame": _silent_inside_a_large_frame,
    "sends a byte now and then": _trickling(b"x"),
    "sends some bytes now and then": _trickling(bytes(1000)),
    "sends pings": _busy_with_pings,
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_call_ends_with_its_time_when_the_server(answer: Answer) -> None:
    with scripted_server(answer) as server, connections_to(server) as connections:
        for _ in range(2):
            with within(SHORT_SECONDS, SHORT_SECONDS + LATE_SECONDS):
                error = error_of(connections, timeout_seconds=SHORT_SECONDS)
            assert error.code() is Code.DEADLINE_EXCEEDED
            assert error.details() == "Deadline Exceeded"
            assert not connections._busy
            assert not connections._idle


def test_a_message_that_comes_bit_by_bit_may_take_as_long_as_the_call() -> None:
    """Time is measured for the whole call, and not from byte to byte."""

    def answer(exchange: Exchange) -> None:
        exchange.start()
        body = prefixed(bytes(100_000))
        exchange.raw(raw_frame(DATA, body[:5], stream=exchange.stream_id, claimed=len(body)))
        for begin in range(5, len(body), 10_000):
            exchange.raw(body[begin : begin + 10_000])
            exchange.hold(0.05)
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [bytes(100_000)]


def test_a_call_ends_with_its_time_when_the_server_gives_no_room() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.hold()

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        with within(SHORT_SECONDS, SHORT_SECONDS + LATE_SECONDS):
            error = error_of(connections, bytes(300_000), SHORT_SECONDS)
        assert error.code() is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("frame_bytes", [2**14, 2**24 - 1])
def test_a_call_ends_with_its_time_when_the_server_does_not_read(frame_bytes: int) -> None:
    """It allows much more than the buffers of the sockets hold."""
    seconds = 1.0

    def answer(exchange: Exchange) -> None:
        line = exchange.line
        line.engine.increment_flow_control_window(2**30)
        line.engine.update_settings(
            {SettingCodes.INITIAL_WINDOW_SIZE: 2**30, SettingCodes.MAX_FRAME_SIZE: frame_bytes}
        )
        line.flush()
        line.pump(lambda: line.settings_acks == 2)
        exchange.hold()

    with scripted_server(answer, is_eager=True) as server, connections_to(server) as connections:
        with within(seconds, seconds + LATE_SECONDS):
            error = error_of(connections, bytes(2**26), seconds)
        assert error.code() is Code.DEADLINE_EXCEEDED


def test_a_call_ends_with_its_time_in_a_program_that_is_interrupted_again_and_again() -> None:
    """A timer whose handler does nothing, as in profilers.

    Python restarts a read that it interrupts.
    """

    def answer(exchange: Exchange) -> None:
        exchange.hold(2 * LATE_SECONDS)
        exchange.line.close()

    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, SHORT_SECONDS / 10, SHORT_SECONDS / 10)
    try:
        with scripted_server(answer) as server, connections_to(server) as connections:
            with within(SHORT_SECONDS, SHORT_SECONDS + LATE_SECONDS):
                error = error_of(connections, timeout_seconds=SHORT_SECONDS)
            assert error.code() is Code.DEADLINE_EXCEEDED
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _unanswering_address() -> Iterator[Address]:
    """Yield an address at which nobody accepts, and no connection comes about."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                break
        yield Address(None, "127.0.0.1", listener.getsockname()[1])


def test_a_call_ends_with_its_time_while_it_connects() -> None:
    with _unanswering_address() as address, closing(Connections(address)) as connections:
        with within(SHORT_SECONDS, SHORT_SECONDS + LATE_SECONDS):
            error = error_of(connections, timeout_seconds=SHORT_SECONDS)
        assert error.code() is Code.DEADLINE_EXCEEDED


def test_a_server_that_cannot_be_reached_is_not_waited_for_without_end() -> None:
    limits = replace(ALONE, connect_seconds=SHORT_SECONDS)
    with _unanswering_address() as address, closing(Connections(address)) as connections:
        with within(SHORT_SECONDS, SHORT_SECONDS + LATE_SECONDS):
            error = error_of(connections, timeout_seconds=None, limits=limits)
        assert error.code() is Code.UNAVAILABLE
        assert str(address.port) in error.details()


def test_a_call_without_any_time_does_not_begin() -> None:
    with (
        scripted_server(lambda exchange: exchange.answer(b"a")) as server,
        connections_to(server) as connections,
    ):
        for seconds in (0.0, -1.0, 1e-9):
            assert error_of(connections, timeout_seconds=seconds).code() is Code.DEADLINE_EXCEEDED
        assert messages_of(connections) == [b"a"]
        for seconds in (0.0, -1.0, 1e-9):
            assert error_of(connections, timeout_seconds=seconds).code() is Code.DEADLINE_EXCEEDED
        assert messages_of(connections) == [b"a"]


# Signs of life.


IMPATIENT = TryLimits(connect_seconds=30.0, silence_seconds=0.2, answer_seconds=0.3)
# A server of the test's own answers late where the machine is busy.
ASKING = replace(IMPATIENT, answer_seconds=30.0)


@pytest.mark.parametrize(
    "answer",
    [
        _silent,
        _silent_after_headers,
        _silent_inside_a_small_message,
        _silent_inside_a_large_message,
    ],
    ids=["at once", "after the headers", "inside a small message", "inside a large message"],
)
def test_a_server_that_gives_no_sign_of_life_is_given_up(answer: Answer) -> None:
    with scripted_server(answer) as server, connections_to(server) as connections:
        with within(0.5, SOON_SECONDS):
            error = error_of(connections, timeout_seconds=None, limits=IMPATIENT)
        assert isinstance(error, ConnectionLostError)
        assert error.code() is Code.UNAVAILABLE


def test_a_server_that_answers_pings_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_connection, "PING_GAP_SECONDS", 0.2)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.line.pump(lambda: exchange.line.pings >= 3)
        exchange.data(prefixed(b"late"))
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        with within(0.6, LATE_SECONDS):
            assert messages_of(connections, timeout_seconds=None, limits=ASKING) == [b"late"]
        assert messages_of(connections, timeout_seconds=None, limits=ASKING) == [b"late"]
        assert len(server.lines) == 1


def test_a_server_that_gives_no_room_must_give_a_sign_of_life_as_well() -> None:
    with scripted_server(_silent, is_eager=True, is_generous=False) as server:  # noqa: SIM117
        with connections_to(server) as connections, within(0.5, SOON_SECONDS):
            assert (
                error_of(connections, bytes(300_000), None, limits=IMPATIENT).code()
                is Code.UNAVAILABLE
            )


def test_a_server_whose_bytes_come_is_not_asked_for_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each byte begins the wait for the next one anew."""
    limits = replace(ASKING, silence_seconds=30.0)
    waited: list[float] = []
    wait = Connection._wait

    def noted(connection: Connection, event: int, patience_seconds: float) -> bool:
        waited.append(patience_seconds)
        return wait(connection, event, patience_seconds)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        for each in prefixed(b"0123456789"):
            exchange.hold(0.1)
            exchange.data(bytes([each]))
        exchange.end()

    monkeypatch.setattr(Connection, "_wait", noted)
    with (
        scripted_server(answer, lambda exchange: exchange.answer()) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections, timeout_seconds=None, limits=limits) == [b"0123456789"]
        assert len(waited) > 2
        assert set(waited) == {30.0}
        messages_of(connections)
        assert server.lines[0].pings == 0


def test_a_request_that_is_not_read_is_given_up() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.line.engine.increment_flow_control_window(2**30)
        exchange.line.engine.increment_flow_control_window(2**30, exchange.stream_id)
        exchange.line.flush()
        exchange.hold()

    with scripted_server(answer, is_eager=True) as server, connections_to(server) as connections:  # noqa: SIM117
        with within(0.1, SOON_SECONDS):
            assert (
                error_of(connections, bytes(2**26), None, limits=IMPATIENT).code()
                is Code.UNAVAILABLE
            )


def test_a_server_that_is_quicker_to_notice_the_deadline_is_no_failure_of_its_own() -> None:
    has_answered = threading.Event()

    def answer(exchange: Exchange) -> None:
        engine = exchange.line.engine
        engine.send_headers(exchange.stream_id, OK_HEADERS)
        engine.reset_stream(exchange.stream_id, 8)
        # Both at once, so that the client has the second when it reads the first.
        exchange.line.flush()
        has_answered.set()

    with scripted_server(answer) as server, connections_to(server) as connections:  # noqa: SIM117
        with call_of(connections, b"") as call:
            assert has_answered.wait(PATIENCE_SECONDS)
            (connection,) = connections._busy
            connection.deadline = time.monotonic()
            with pytest.raises(CallError) as caught:
                call.next_message()
    assert caught.value.code() is Code.DEADLINE_EXCEEDED


def test_signs_of_life_alone_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a proxy's, whose server has gone to sleep."""
    monkeypatch.setattr(http2_connection, "PING_GAP_SECONDS", 0.1)
    monkeypatch.setattr(http2_connection, "STALL_SECONDS", 600.0)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.line.pump(lambda: exchange.line.pings > 2)
        monkeypatch.setattr(http2_connection, "STALL_SECONDS", 1.0)
        exchange.line.pump(lambda: False)

    with scripted_server(answer) as server:  # noqa: SIM117
        with connections_to(server) as connections, within(0.9, LATE_SECONDS):
            error = error_of(connections, timeout_seconds=None, limits=ASKING)
    assert isinstance(error, SilentError)


def test_signs_of_life_are_no_part_of_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bit of its length was changed, so that the client waits for more of it than there is."""
    monkeypatch.setattr(http2_connection, "PING_GAP_SECONDS", 0.1)
    monkeypatch.setattr(http2_connection, "STALL_SECONDS", 600.0)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        begin = prefixed(bytes(100_000))[:50_000]
        exchange.raw(raw_frame(DATA, begin, stream=exchange.stream_id, claimed=2**19))
        exchange.line.pump(lambda: exchange.line.pings > 2)
        monkeypatch.setattr(http2_connection, "STALL_SECONDS", 1.0)
        exchange.line.pump(lambda: False)

    with scripted_server(answer) as server:  # noqa: SIM117
        with connections_to(server) as connections, within(0.9, LATE_SECONDS):
            error = error_of(connections, timeout_seconds=None, limits=ASKING)
    assert isinstance(error, SilentError)


def test_pings_do_not_come_more_often_than_servers_allow() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.line.pump(lambda: exchange.line.pings == 1)
        exchange.hold(1.5)
        exchange.data(prefixed(b"late"))
        exchange.end()

    with (
        scripted_server(answer, lambda exchange: exchange.answer()) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections, timeout_seconds=None, limits=ASKING) == [b"late"]
        messages_of(connections)
        assert server.lines[0].pings == 1


def test_a_reader_may_take_its_time() -> None:
    has_answered = threading.Event()

    def answer(exchange: Exchange) -> None:
        exchange.answer(b"a", b"b")
        has_answered.set()

    with (
        scripted_server(answer) as server,
        connections_to(server) as connections,
        call_of(connections, b"", None, limits=ASKING) as call,
    ):
        assert has_answered.wait(PATIENCE_SECONDS)
        (connection,) = connections._busy
        for message in (b"a", b"b"):
            connection._heard -= 2 * STALL_SECONDS
            assert call.read(call.next_message() or 0) == message
        connection._heard -= 2 * STALL_SECONDS
        assert call.next_message() is None
