"""Messages arrive as sent, however they are cut into frames; requests are as they must be."""

import itertools
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata

import grpc
import numpy as np
import pytest
from h2.settings import SettingCodes
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from seedbed.transports.http2 import connection as http2_connection
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.connections import _timeout as http2_timeout
from seedbed.transports.http2.errors import CallError
from tests.http2_calls import call_of, connections_to, messages_of
from tests.http2_server import (
    CONTINUATION,
    DATA,
    HEADERS,
    OK_HEADERS,
    PING,
    PRIORITY,
    Exchange,
    prefixed,
    raw_frame,
    scripted_server,
)
from tests.left_open import nothing_left_open

LARGE = np.random.default_rng(1).bytes(2**20)
REQUEST = np.random.default_rng(2).bytes(300_000)
SMALL_WINDOW_BYTES = 2**17
# A failing example may last as long as its call, so no smaller one is looked for.
PHASES = (Phase.explicit, Phase.generate)


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


def _pieces(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    return [data[begin:end] for begin, end in itertools.pairwise((0, *cuts, len(data)))]


def test_messages_are_the_same_wherever_the_frames_of_a_body_are_cut() -> None:
    """All ways to cut two messages, the second one empty, into frames."""
    body = prefixed(b"ab") + prefixed(b"")
    cuts = [
        each for count in range(4) for each in itertools.combinations(range(1, len(body)), count)
    ]
    cuts.append(tuple(range(1, len(body))))
    left = iter(cuts)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        for piece in _pieces(body, next(left)):
            exchange.data(piece)
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        for each in cuts:
            assert messages_of(connections) == [b"ab", b""], each
        assert len(server.lines) == 1


@settings(max_examples=60, phases=PHASES)
@given(st.data(), st.lists(st.binary(max_size=40), max_size=4))
def test_messages_are_the_same_with_padding_and_empty_frames(
    data: st.DataObject, messages: list[bytes]
) -> None:
    body = b"".join(prefixed(each) for each in messages)
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=8).map(sorted))
    pads = data.draw(
        st.lists(st.none() | st.integers(0, 255), min_size=len(cuts) + 1, max_size=len(cuts) + 1),
        label="padding",
    )

    def answer(exchange: Exchange) -> None:
        exchange.start()
        for piece, pad in zip(_pieces(body, tuple(cuts)), pads, strict=True):
            exchange.data(piece, pad=pad)
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == messages
        assert messages_of(connections) == messages
        assert len(server.lines) == 1


@settings(max_examples=40, phases=PHASES)
@given(st.data(), st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_a_message_can_be_read_in_any_pieces(data: st.DataObject, sizes: list[int]) -> None:
    """What is read is cut otherwise than what is sent, in memory and as new bytes."""
    message = bytes(range(256))[: sum(sizes)]
    cuts = data.draw(st.lists(st.integers(0, 5 + len(message)), max_size=6).map(sorted))
    into = data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes)))

    def answer(exchange: Exchange) -> None:
        exchange.start()
        for piece in _pieces(prefixed(message), tuple(cuts)):
            exchange.data(piece)
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        found = b""
        with call_of(connections, b"", 10) as call:
            assert call.next_message() == len(message)
            for size, is_into in zip(sizes, into, strict=True):
                memory = bytearray(size)
                if is_into:
                    call.read_into(memoryview(memory))
                found += bytes(memory) if is_into else call.read(size)
            assert call.next_message() is None
        assert found == message


@pytest.mark.parametrize("frame_bytes", [2**20 + 5, 2**14, 8191, 100_003])
@pytest.mark.parametrize("pad", [None, 0, 255])
def test_a_large_message_comes_over_several_frames(frame_bytes: int, pad: int | None) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start()
        body = prefixed(LARGE)
        for begin in range(0, len(body), frame_bytes):
            exchange.data(body[begin : begin + frame_bytes], pad=pad)
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [LARGE]


def test_a_message_of_4_mib_is_the_largest_that_is_read() -> None:
    largest = LARGE * 4
    with (
        scripted_server(lambda exchange: exchange.answer(largest, b"after")) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections) == [largest, b"after"]


@pytest.mark.parametrize("piece_bytes", [1, 3, 9, 20, 1000])
def test_an_answer_may_trickle_in(piece_bytes: int) -> None:
    """TCP may deliver any part of a frame alone."""

    def answer(exchange: Exchange) -> None:
        engine = exchange.line.engine
        engine.send_headers(exchange.stream_id, OK_HEADERS)
        engine.send_data(exchange.stream_id, prefixed(b"abc"), pad_length=3)
        engine.send_headers(exchange.stream_id, [("grpc-status", "0")], end_stream=True)
        whole = engine.data_to_send()
        for begin in range(0, len(whole), piece_bytes):
            exchange.raw(whole[begin : begin + piece_bytes])
            time.sleep(0.001)

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"abc"]
        assert messages_of(connections) == [b"abc"]


# Headers.


def test_headers_may_continue_in_further_frames() -> None:
    more = [(f"x-{index}", "y" * 50) for index in range(20)]

    def answer(exchange: Exchange) -> None:
        exchange.start_in_pieces([*OK_HEADERS, *more], 7)
        exchange.data(prefixed(b"a"))
        exchange.start_in_pieces([("grpc-status", "0"), *more], 1, end=True)

    with scripted_server(answer) as server, connections_to(server) as connections:
        for _ in range(3):
            assert messages_of(connections) == [b"a"]
        assert len(server.lines) == 1


def test_the_table_of_headers_is_kept_from_call_to_call() -> None:
    """h2 writes a repeated header as a number, and compresses new ones."""

    def answer(exchange: Exchange) -> None:
        exchange.start(
            [
                *OK_HEADERS,
                ("x-same", "the same each time"),
                ("x-other", f"other {exchange.stream_id}"),
            ]
        )
        exchange.data(prefixed(str(exchange.stream_id).encode()))
        if exchange.stream_id == 5:
            # The next block of headers begins with the change.
            exchange.line.engine.encoder.header_table_size = 64
        exchange.end("0", ("x-trailer", f"{exchange.stream_id}"))

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert [messages_of(connections) for _ in range(6)] == [
            [str(2 * n + 1).encode()] for n in range(6)
        ]
        assert len(server.lines) == 1


def test_headers_may_be_padded_and_have_a_priority() -> None:
    def answer(exchange: Exchange) -> None:
        block = exchange.line.engine.encoder.encode(OK_HEADERS)
        # The padding's length, what the stream depends on and its weight, the headers, the padding.
        payload = b"\x04" + bytes(4) + b"\x10" + block + bytes(4)
        exchange.raw(raw_frame(HEADERS, payload, flags=0x4 | 0x8 | 0x20, stream=exchange.stream_id))
        exchange.raw(raw_frame(DATA, prefixed(b"a"), stream=exchange.stream_id))
        block = exchange.line.engine.encoder.encode([("grpc-status", "0")])
        exchange.raw(
            raw_frame(
                HEADERS, b"\x03" + block[:1] + bytes(3), flags=0x1 | 0x8, stream=exchange.stream_id
            )
        )
        exchange.raw(raw_frame(CONTINUATION, block[1:], flags=0x4, stream=exchange.stream_id))

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"a"]


def test_informational_headers_are_no_answer_yet() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start([(":status", "103"), ("link", "</style>")])
        exchange.start([(":status", "100")])
        exchange.answer(b"a")

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"a"]


def test_an_answer_may_be_a_status_alone() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start([*OK_HEADERS, ("grpc-status", "0")], end=True)

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == []
        assert messages_of(connections) == []
        assert len(server.lines) == 1


@pytest.mark.parametrize(
    "kind", ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]
)
def test_every_content_type_of_grpc_is_taken(kind: str) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start([(":status", "200"), ("content-type", kind)])
        exchange.data(prefixed(b"a"))
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"a"]


# What concerns the connection, in the middle of a message.


def test_frames_that_are_not_of_the_stream_go_between_those_that_are() -> None:
    def answer(exchange: Exchange) -> None:
        line = exchange.line
        others = {
            "a kind that is not known": raw_frame(0x77, b"future" * 3000),
            "a kind that is not known, of the stream": raw_frame(
                0x78, b"future", stream=exchange.stream_id
            ),
            "a priority": raw_frame(PRIORITY, bytes(5), stream=exchange.stream_id),
            "an acknowledgement of a ping": raw_frame(PING, bytes(8), flags=0x1),
        }
        exchange.start()
        body = prefixed(bytes(range(100)))
        for at, other in enumerate(others.values()):
            exchange.data(body[at * 7 : at * 7 + 7])
            exchange.raw(other)
        line.engine.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 5})
        line.flush()
        exchange.data(body[28:40])
        line.engine.ping(b"8 bytes!")
        line.flush()
        exchange.data(body[40:])
        exchange.end()
        line.pump(lambda: line.settings_acks == 2 and line.ping_acks == [b"8 bytes!"])

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [bytes(range(100))]
        server.wait_for(lambda: server.lines[0].ping_acks == [b"8 bytes!"])


def test_settings_are_acknowledged_before_the_call_goes_on() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.line.pump(lambda: exchange.line.settings_acks == 1)
        exchange.answer(b"a")

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert messages_of(connections) == [b"a"]
        assert messages_of(connections) == [b"a"]
        assert server.lines[0].settings_acks == 1


def test_what_comes_while_a_connection_is_idle_is_answered_with_the_next_call() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.answer(b"a")
        exchange.line.engine.ping(b"idle...!")
        exchange.line.engine.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 70_000})
        exchange.line.flush()

    with scripted_server(answer, lambda exchange: exchange.answer(b"b")) as server:  # noqa: SIM117
        with connections_to(server) as connections:
            assert messages_of(connections) == [b"a"]
            time.sleep(0.1)
            assert messages_of(connections) == [b"b"]
            server.wait_for(
                lambda: (
                    server.lines[0].ping_acks == [b"idle...!"]
                    and server.lines[0].settings_acks == 2
                )
            )
            assert len(server.lines) == 1


# The sender's side of flow control.


def test_a_large_request_waits_for_room_in_both_windows() -> None:
    """h2 ends the connection of a client that sends more than it may."""

    def prepare(exchange: Exchange) -> None:
        exchange.line.engine.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        exchange.line.flush()
        exchange.line.pump(lambda: exchange.line.settings_acks == 2)
        exchange.answer(b"prepared")

    def grow(exchange: Exchange) -> None:
        line = exchange.line
        line.pump(lambda: len(exchange.body) == 10)
        line.engine.increment_flow_control_window(7, exchange.stream_id)
        line.flush()
        line.pump(lambda: len(exchange.body) == 17)
        line.engine.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 20})
        line.flush()
        line.pump(lambda: len(exchange.body) == 27)
        # Room in the stream alone, and then room for some of it in the connection.
        line.engine.increment_flow_control_window(2**20, exchange.stream_id)
        line.flush()
        line.pump(lambda: line.engine.inbound_flow_control_window == 0)
        before = len(exchange.body)
        line.engine.increment_flow_control_window(1000)
        line.flush()
        line.pump(lambda: len(exchange.body) == before + 1000)
        line.engine.increment_flow_control_window(2**20)
        line.flush()
        line.pump(lambda: exchange.is_ended)
        assert exchange.message == REQUEST
        assert line.calls[1].message == b"hello"
        exchange.answer(b"grown")

    def answer(exchange: Exchange) -> None:
        (prepare if exchange.stream_id == 1 else grow)(exchange)

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections, b"hello") == [b"prepared"]
        assert messages_of(connections, REQUEST) == [b"grown"]
        assert len(server.lines) == 1


def test_a_window_may_shrink_below_nothing_under_a_request() -> None:
    """What was sent before the setting came counts against it."""

    def answer(exchange: Exchange) -> None:
        line = exchange.line
        line.engine.increment_flow_control_window(2**20)
        line.engine.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10})
        line.flush()
        line.pump(lambda: line.settings_acks == 2)
        sent = len(exchange.body)
        assert sent > 10
        line.engine.increment_flow_control_window(sent - 10 + 5, exchange.stream_id)
        line.flush()
        line.pump(lambda: len(exchange.body) == sent + 5)
        line.engine.increment_flow_control_window(2**20, exchange.stream_id)
        line.flush()
        line.pump(lambda: exchange.is_ended)
        assert exchange.message == REQUEST
        exchange.answer(b"a")

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections, REQUEST) == [b"a"]


@pytest.mark.parametrize("largest", [2**14, 2**14 + 1, 2**16])
def test_frames_are_as_large_as_the_server_takes(largest: int) -> None:
    def prepare(exchange: Exchange) -> None:
        line = exchange.line
        line.engine.increment_flow_control_window(2**20)
        line.engine.update_settings(
            {SettingCodes.MAX_FRAME_SIZE: largest, SettingCodes.INITIAL_WINDOW_SIZE: 2**20}
        )
        line.flush()
        line.pump(lambda: line.settings_acks == 2)
        exchange.answer()

    with scripted_server(prepare, lambda exchange: exchange.answer()) as server:  # noqa: SIM117
        with connections_to(server) as connections:
            messages_of(connections)
            messages_of(connections, REQUEST)
            assert server.exchanges[1].message == REQUEST
            assert max(server.exchanges[1].sizes) == largest


@pytest.mark.parametrize(
    "size", [0, 1, 2**14 - 6, 2**14 - 5, 2**14 - 4, 2**16 - 6, 2**16 - 5, 2**16]
)
def test_a_request_of_any_size_arrives(size: int) -> None:
    with (
        scripted_server(lambda exchange: exchange.answer()) as server,
        connections_to(server) as connections,
    ):
        for _ in range(2):
            messages_of(connections, REQUEST[:size])
        assert [each.message for each in server.exchanges] == [REQUEST[:size]] * 2


def test_an_answer_that_begins_before_the_request_has_ended_is_read_or_refused() -> None:
    """HTTP/2 allows it; its data are in no case taken for frames."""

    def answer(exchange: Exchange) -> None:
        line = exchange.line
        exchange.start()
        exchange.data(prefixed(b"early"))
        line.engine.increment_flow_control_window(2**20)
        line.engine.increment_flow_control_window(2**20, exchange.stream_id)
        line.flush()
        line.pump(lambda: exchange.is_ended)
        exchange.data(prefixed(b"late"))
        exchange.end()

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        for _ in range(2):
            found: list[bytes] | grpc.StatusCode
            try:
                found = messages_of(connections, REQUEST)
            except CallError as error:
                found = error.code()
            assert found in ([b"early", b"late"], grpc.StatusCode.INTERNAL)


@pytest.mark.parametrize("status", ["0", "8"])
def test_an_answer_that_ends_before_the_request_leaves_no_stream_half_open(status: str) -> None:
    """The rest of the request is not sent.

    The server is told, if only by the connection's end.
    """

    def answer(exchange: Exchange) -> None:
        exchange.start([*OK_HEADERS, ("grpc-status", status)], end=True)

    with (
        scripted_server(answer, is_eager=True, is_generous=False) as server,
        connections_to(server) as connections,
    ):
        for _ in range(2):
            with suppress(CallError):
                assert messages_of(connections, REQUEST) == []
        first, second = server.exchanges
        assert first.reset_code is not None or second.line is not first.line
        assert not first.is_ended


# The receiver's side of flow control.


@pytest.mark.parametrize("pad", [None, 200])
def test_one_call_may_bring_more_than_the_windows_hold(
    monkeypatch: pytest.MonkeyPatch, pad: int | None
) -> None:
    """h2 sends no more than the stream's window and the connection's allow."""
    monkeypatch.setattr(http2_connection, "WINDOW_BYTES", SMALL_WINDOW_BYTES)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        for begin in range(0, len(LARGE), 50_000):
            body = prefixed(LARGE[begin : begin + 50_000])
            for at in range(0, len(body), 10_000):
                exchange.data(body[at : at + 10_000], pad=pad)
                # As much is allowed again as was sent, and no more.
                assert exchange.line.engine.outbound_flow_control_window <= SMALL_WINDOW_BYTES
                assert (
                    exchange.line.engine.streams[exchange.stream_id].outbound_flow_control_window
                    <= SMALL_WINDOW_BYTES
                )
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        assert b"".join(messages_of(connections)) == LARGE
        assert b"".join(messages_of(connections)) == LARGE
        assert len(server.lines) == 1


def test_a_frame_may_be_as_large_as_the_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http2_connection, "WINDOW_BYTES", SMALL_WINDOW_BYTES)
    with (
        scripted_server(lambda exchange: exchange.answer(LARGE)) as server,
        connections_to(server) as connections,
    ):
        assert messages_of(connections) == [LARGE]


def test_calls_after_another_may_bring_more_than_the_connections_window_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http2_connection, "WINDOW_BYTES", SMALL_WINDOW_BYTES)
    piece = LARGE[:60_000]
    with (
        scripted_server(lambda exchange: exchange.answer(piece)) as server,
        connections_to(server) as connections,
    ):
        for _ in range(8):
            assert messages_of(connections) == [piece]
        assert len(server.lines) == 1


def test_what_comes_for_a_cancelled_call_is_given_back_to_the_connections_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http2_connection, "WINDOW_BYTES", SMALL_WINDOW_BYTES)

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"a"))
        exchange.data(prefixed(LARGE[:60_000]))
        exchange.end()

    with scripted_server(answer) as server, connections_to(server) as connections:
        for _ in range(8):
            with call_of(connections, b"", 10) as call:
                assert call.read(call.next_message() or 0) == b"a"
                call.cancel()
        assert len(server.lines) == 1


# The request's headers.


def _asked(connections: Connections, timeout_seconds: float | None) -> None:
    with call_of(connections, b"", timeout_seconds) as call:
        assert call.next_message() is None


def test_a_request_has_the_headers_that_grpc_demands() -> None:
    with (
        scripted_server(lambda exchange: exchange.answer()) as server,
        connections_to(server) as connections,
    ):
        _asked(connections, None)
        _asked(connections, 60.0)
        _asked(connections, None)
        expected = {
            ":method": "POST",
            ":scheme": "http",
            ":path": "/seedbed.v1.SeedbedService/SampleTensors",
            ":authority": server.address.authority,
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": f"seedbed/{metadata.version('seedbed')}",
        }
        first, second, third = (exchange.headers for exchange in server.exchanges)
        assert first == third == list(expected.items())
        assert dict(second).keys() - expected.keys() == {"grpc-timeout"}
        names = [name for name, _ in second]
        assert all(name.startswith(":") for name in names[:4])
        assert not any(name.startswith(":") for name in names[4:])


UNITS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "S": 1.0, "M": 60.0, "H": 3600.0}
# The first ones are shorter than a call may take on a busy machine: they are asked of the function
# that writes them.
TIMEOUTS = [
    1e-3,
    0.0015,
    0.25,
    1.0,
    59.999,
    60.0,
    3600.0,
    86_400.0,
    99_999.0,
    99_999.999,
    1e5,
    1e6,
    1e7,
    1e8,
    1e9,
]


@pytest.mark.parametrize("seconds", TIMEOUTS[4:])
def test_a_timeout_is_written_as_grpc_reads_it(seconds: float) -> None:
    with (
        scripted_server(lambda exchange: exchange.answer()) as server,
        connections_to(server) as connections,
    ):
        _asked(connections, seconds)
        _judge(dict(server.exchanges[0].headers)["grpc-timeout"], seconds)


@example(0.25)
@example(1.0)
@given(st.sampled_from(TIMEOUTS) | st.floats(1e-3, 1e9))
def test_any_timeout_has_at_most_eight_digits(seconds: float) -> None:
    _judge(http2_timeout(seconds), seconds)


def _judge(written: str, seconds: float) -> None:
    match = re.fullmatch(r"([0-9]{1,8})([HMSmun])", written)
    assert match
    told = int(match[1]) * UNITS[match[2]]
    # The server gives up no earlier than the client, and not much later.
    assert seconds * (1 - 1e-9) <= told <= seconds * 1.001 + 0.0021


def test_a_server_that_keeps_no_table_of_headers_understands_every_call() -> None:
    """It then refuses headers that do not begin by acknowledging it (RFC 7541, section 4.2)."""

    def without_a_table(exchange: Exchange) -> None:
        if exchange.line.engine.local_settings.header_table_size != 0:
            exchange.line.engine.update_settings({SettingCodes.HEADER_TABLE_SIZE: 0})
            exchange.line.flush()
        exchange.answer(b"answer")

    with scripted_server(without_a_table) as server, connections_to(server) as connections:
        for _ in range(3):
            assert messages_of(connections) == [b"answer"]
        assert len(server.lines) == 1
