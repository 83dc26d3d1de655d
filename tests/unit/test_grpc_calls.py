"""Calls by gRPC: stalled streams are cut, paused readers are not, and nothing stays behind."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from types import FrameType
from typing import Any

import grpc
import psutil
import pytest
from grpc import _channel

from seedbed.transports import grpc_calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.grpc_calls import MOST_IDLE, GrpcCall, GrpcCalls
from seedbed.transports.try_limits import ALONE, STALL_SECONDS
from tests.waiting import wait_until

METHOD = "/test.Service/Answer"
SHORT_STALL_SECONDS = 1.2
# A server's own silence ends after 60 s.
SOON_SECONDS = 30.0


class _Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """The time that calls see."""
    found = _Clock()
    monkeypatch.setattr(grpc_calls, "time", found)
    return found


_at_waits: "queue.SimpleQueue[Callable[[], None]]" = queue.SimpleQueue()
"""What a test does each time that the server waits."""


def _answer(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """Answer as the request says, letter by letter."""
    ended = threading.Event()
    context.add_callback(ended.set)
    for letter in request.decode():
        match letter:
            case "m":
                yield b"message"
            case "l":
                yield bytes(2**20)
            case "w":
                _at_waits.get(timeout=60)()
            case "f":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no room")
            case "s":
                ended.wait(60)


class _Handlers(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        return grpc.unary_stream_rpc_method_handler(_answer)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server of ``_answer``."""
    server = grpc.server(ThreadPoolExecutor(16), [_Handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@contextmanager
def call_of(
    address: str, request: str, cancellation: Cancellation | None = None
) -> Iterator[GrpcCall]:
    calls = GrpcCalls(address, {})
    try:
        with calls.call(METHOD, request.encode(), ALONE, cancellation or Cancellation()) as call:
            yield call
    finally:
        calls.close()


def sizes_of(call: GrpcCall) -> list[int]:
    """Return the sizes of all messages, as the call says and as they are read."""
    found = []
    while (size_bytes := call.next_message()) is not None:
        found.append(size_bytes)
        assert len(call.read(size_bytes)) == size_bytes
    return found


def look(call: GrpcCall) -> None:
    """Let a call's watch look now."""
    assert call._watch is not None
    call._watch.cancel()
    call._look()


def watches() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if isinstance(each, threading.Timer)]


def ports_to(address: str) -> set[int]:
    """Return the ports of this process that are connected to an address."""
    port = int(address.rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return {each.laddr.port for each in found if each.raddr[1:] == (port,)}


def test_messages_are_read_in_one_piece_or_in_parts(address: str) -> None:
    with call_of(address, "mlm") as call:
        assert sizes_of(call) == [7, 2**20, 7]
        assert call.next_message() is None
    with call_of(address, "m") as call:
        assert call.next_message() == 7
        assert call.read(3) == b"mes"
        memory = bytearray(4)
        call.read_into(memoryview(memory))
        assert memory == b"sage"


@pytest.mark.parametrize("request_text", ["s", "ms", "mms"])
def test_a_stream_that_stalls_is_cut(
    address: str, request_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with call_of(address, request_text) as call:
        for _ in request_text[:-1]:
            assert call.next_message() == 7
        monkeypatch.setattr(grpc_calls, "STALL_SECONDS", SHORT_STALL_SECONDS)
        look(call)
        begun = time.monotonic()
        with pytest.raises(grpc.RpcError, match=r"nothing came for 1\.2 s") as caught:
            call.next_message()
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert SHORT_STALL_SECONDS * 0.9 < time.monotonic() - begun < SOON_SECONDS


def test_a_stream_that_is_slow_is_not_cut(address: str, clock: _Clock) -> None:
    """A message comes each time before it is too late, and all of them much later."""
    with call_of(address, "wm" * 8) as call:

        def wait() -> None:
            wait_until(lambda: call._waits_since == clock.now)  # for the message that is due
            clock.now += STALL_SECONDS * 0.9
            look(call)

        for _ in range(8):
            _at_waits.put(wait)
        assert sizes_of(call) == [7] * 8


def test_a_reader_that_pauses_is_not_cut(address: str, clock: _Clock) -> None:
    with call_of(address, "mlmm") as call:
        assert call.next_message() == 7
        clock.now += 2 * STALL_SECONDS
        look(call)
        assert sizes_of(call) == [2**20, 7, 7]


def test_a_refusal_is_the_server_s(address: str) -> None:
    with call_of(address, "mf") as call:
        call.next_message()
        with pytest.raises(grpc.RpcError) as caught:
            call.next_message()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert caught.value.details() == "no room"


def test_after_cancel_nothing_more_comes(address: str) -> None:
    with call_of(address, "mms") as call:
        assert call.next_message() == 7
        call.cancel()
        assert call.next_message() is None


def test_another_thread_can_end_a_call(address: str) -> None:
    cancellation = Cancellation()
    stopping = threading.Timer(0.2, cancellation.cancel)
    with call_of(address, "s", cancellation) as call:
        stopping.start()
        with pytest.raises(grpc.RpcError) as caught:
            call.next_message()
    stopping.join()
    assert caught.value.code() == grpc.StatusCode.CANCELLED


def _leave_in_many_ways(address: str) -> None:
    for request in ("m", "mlm", "f"):
        with call_of(address, request) as call:
            if request == "f":
                with pytest.raises(grpc.RpcError):
                    sizes_of(call)
            else:
                sizes_of(call)
    for reads in (0, 1, 2):
        with call_of(address, "mls") as call:
            for _ in range(reads):
                call.next_message()


def test_calls_leave_no_thread_and_no_connection_behind(address: str) -> None:
    process = psutil.Process()
    _leave_in_many_ways(address)
    wait_until(lambda: not watches())
    before = len(process.net_connections())
    for _ in range(10):
        _leave_in_many_ways(address)
    wait_until(lambda: not watches())
    wait_until(lambda: len(process.net_connections()) <= before)


def test_calls_at_the_same_time_have_a_connection_each(address: str) -> None:
    """A reader that pauses holds up nobody else, behind whatever proxy."""
    with closing(GrpcCalls(address, {})) as calls:

        def ports_of(count: int) -> set[int]:
            """Return whence so many calls come that are read together."""
            with ExitStack() as stack:
                for _ in range(count):
                    made = calls.call(METHOD, b"mls", ALONE, Cancellation())
                    assert stack.enter_context(made).next_message() == 7
                return ports_to(address)

        wait_until(lambda: not ports_to(address))  # those of calls before
        assert len(ports_of(MOST_IDLE + 2)) == MOST_IDLE + 2
        wait_until(lambda: len(ports_to(address)) == MOST_IDLE)
        kept = ports_to(address)
        for count in (1, MOST_IDLE, 1):
            assert ports_of(count) == kept


def test_closing_ends_calls_that_nobody_reads_and_their_connections(address: str) -> None:
    """As those of an iterator that is not gone on with."""
    before = len(psutil.Process().net_connections())
    calls = GrpcCalls(address, {})
    with ExitStack() as stack:
        left = [
            stack.enter_context(calls.call(METHOD, b"mls", ALONE, Cancellation())) for _ in range(5)
        ]
        for call in left:
            assert call.next_message() == 7
        calls.close()
        wait_until(lambda: len(psutil.Process().net_connections()) <= before)
        for call in left:
            with pytest.raises(grpc.RpcError) as caught:
                sizes_of(call)
            assert caught.value.code() == grpc.StatusCode.CANCELLED


def test_a_watch_that_looks_as_its_call_ends_looks_no_more(address: str) -> None:
    with call_of(address, "m") as call:
        sizes_of(call)
    wait_until(lambda: not watches())
    call._look()  # by a thread that had begun to
    assert not watches()


@contextmanager
def signalled_inside_grpc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let SIGINT come once in the block, between an event of gRPC's and its own note of it.

    Fail if the block does not end.
    """
    handle: Any = _channel._handle_event

    def signalled(*arguments: Any) -> Any:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGINT)
        return handle(*arguments)

    def too_late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, SOON_SECONDS)
    try:
        monkeypatch.setattr(_channel, "_handle_event", signalled)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("request_text", ["ms", "s", "llll", "m"])
def test_an_interrupt_inside_grpc_ends_the_call(
    address: str, request_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not lose an event, for which the call's end would wait."""
    with closing(GrpcCalls(address, {})) as calls:
        with (
            signalled_inside_grpc(monkeypatch),
            pytest.raises(KeyboardInterrupt),
            calls.call(METHOD, request_text.encode(), ALONE, Cancellation()) as call,
        ):
            sizes_of(call)
        wait_until(lambda: not watches())
        with calls.call(METHOD, b"mlm", ALONE, Cancellation()) as call:
            assert sizes_of(call) == [7, 2**20, 7]
        # Those of calls before close when gRPC's threads come to it.
        wait_until(lambda: len(ports_to(address)) == 1)


def test_a_signal_whose_handler_raises_nothing_leaves_the_call_alone(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: called.append(number))
    try:
        with signalled_inside_grpc(monkeypatch), call_of(address, "mlm") as call:
            assert sizes_of(call) == [7, 2**20, 7]
    finally:
        signal.signal(signal.SIGINT, previous)
    assert called == [signal.SIGINT]


def test_an_interrupt_as_a_call_begins_or_ends_leaves_nothing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("_watch_for", "end"):
        original = getattr(GrpcCall, step)

        def interrupted(*arguments: Any, original: Any = original) -> None:
            monkeypatch.undo()
            os.kill(os.getpid(), signal.SIGINT)
            original(*arguments)

        with closing(GrpcCalls(address, {})) as calls:
            monkeypatch.setattr(GrpcCall, step, interrupted)
            with (
                pytest.raises(KeyboardInterrupt),
                calls.call(METHOD, b"ms", ALONE, Cancellation()) as call,
            ):
                assert call.next_message() == 7
            wait_until(lambda: not watches())
            assert not calls._busy
            assert len(calls._idle) == 1


def test_a_channel_that_is_parted_from_its_call_is_closed(address: str) -> None:
    with closing(GrpcCalls(address, {})) as calls:
        with calls.call(METHOD, b"m", ALONE, Cancellation()) as call:
            sizes_of(call)
        assert calls._taken().channel is not None
        assert not calls._busy
        wait_until(lambda: not ports_to(address))


def test_a_call_that_ends_while_its_watch_looks_leaves_no_watch(address: str) -> None:
    with call_of(address, "s") as call:
        is_done = call._made.done

        def end_meanwhile() -> bool:
            found = bool(is_done())
            call.end()
            return found

        call._made.done = end_meanwhile
        call._look()
        assert call._watch is not None
        assert call._watch.finished.is_set()
