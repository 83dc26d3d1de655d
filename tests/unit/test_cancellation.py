"""A cancellation ends the calls under it, and no other call."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import grpc

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import CallError
from tests.http2_calls import messages_of
from tests.http2_server import Exchange, scripted_server


def test_what_is_under_way_is_stopped_and_what_has_ended_is_not() -> None:
    cancellation = Cancellation()
    stopped: list[str] = []
    with cancellation.stopping(lambda: stopped.append("over")):
        pass
    with cancellation.stopping(lambda: stopped.append("under way")):
        assert not cancellation.is_cancelled
        cancellation.cancel()
        assert stopped == ["under way"]
    assert cancellation.is_cancelled


def test_what_begins_after_it_is_stopped_as_it_begins() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    stopped = threading.Event()
    with cancellation.stopping(stopped.set):
        assert stopped.is_set()


def test_a_cancelled_call_takes_its_connection_along_and_no_other() -> None:

    def answer(exchange: Exchange) -> None:
        if exchange.message == b"wait":
            exchange.hold()
        else:
            exchange.answer(exchange.message)

    def ask(message: bytes, cancellation: Cancellation) -> bytes | grpc.StatusCode:
        try:
            return messages_of(connections, message, 60, cancellation=cancellation)[0]
        except CallError as error:
            return error.code()

    with (
        scripted_server(answer) as server,
        closing(Connections(server.address)) as connections,
        ThreadPoolExecutor(2) as pool,
    ):
        one, other = Cancellation(), Cancellation()
        waiting = pool.submit(ask, b"wait", one)
        server.wait_for(lambda: len(server.exchanges) == 1)
        assert pool.submit(ask, b"a", other).result(60) == b"a"
        one.cancel()
        assert waiting.result(60) is grpc.StatusCode.CANCELLED
        assert ask(b"b", other) == b"b"
        assert ask(b"c", one) is grpc.StatusCode.CANCELLED
