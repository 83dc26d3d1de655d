"""An HTTP/2 connection by hand, for callers that no gRPC client would be."""

import asyncio
import base64
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import hpack
from google.rpc import error_details_pb2, status_pb2

from seedbed.transports.http2 import frames
from seedbed.transports.http2.frames import FrameHeader, frame
from tests.raw_calls import SERVICE

# What the connection as a whole may receive before more is allowed. Streams have windows of their
# own, which are what the tests are about.
CONNECTION_WINDOW_BYTES = 2**30
# Data of a stream's answers that is kept; whoever reads more only counts it.
KEPT_BYTES = 2**16


def method_path(name: str) -> str:
    """Return the path of one of our methods; others are written in full, with slashes."""
    return name if name.startswith("/") else f"/{SERVICE}/{name}"


def call_headers(name: str, more: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return a call's headers in HPACK without its tables, for any connection."""
    # Indexed: ":method POST" and ":scheme http" of the static table; by their names' numbers there:
    # path, authority and content type (RFC 7541, section 6.2.2 and appendix A).
    return b"".join(
        (
            b"\x83\x86",
            b"\x04" + _text(method_path(name)),
            b"\x01" + _text("localhost"),
            b"\x0f\x10" + _text("application/grpc"),
            *(b"\x00" + _text(key) + _text(value) for key, value in (("te", "trailers"), *more)),
        )
    )


def _text(value: str) -> bytes:
    data = value.encode()
    assert len(data) < 127, "a longer text would need a length of several bytes"
    return bytes([len(data)]) + data


def grpc_message(message: bytes) -> bytes:
    """Return a message as gRPC sends it in DATA frames."""
    return struct.pack(">BI", 0, len(message)) + message


@dataclass
class Answer:
    """What came of one call so far."""

    started: float
    ended: float | None = None
    """When it ended by the server's word; None while it goes on, or if the connection was lost."""
    data: bytearray = field(default_factory=bytearray)
    """The first of its bytes."""
    size_bytes: int = 0
    """How many bytes of data came."""
    headers: dict[str, str] = field(default_factory=dict)
    """All headers and trailers."""
    reset_code: int | None = None
    """Why the stream was reset, by either side."""

    @property
    def status(self) -> str | None:
        """GRPC's status as it travels, ``0`` for OK; None where none came."""
        return self.headers.get("grpc-status")

    @property
    def retry_seconds(self) -> float | None:
        """When a refusal says that trying again makes sense; None where it does not say."""
        text = self.headers.get("grpc-status-details-bin", "")
        status = status_pb2.Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))
        retry = error_details_pb2.RetryInfo()
        found = any(detail.Unpack(retry) for detail in status.details)
        return float(retry.retry_delay.ToNanoseconds()) / 1e9 if found else None

    @property
    def seconds(self) -> float:
        """How long the call took."""
        assert self.ended is not None
        return self.ended - self.started


class Connection(asyncio.Protocol):
    """One connection, made by :func:`connect`.

    Args:
        window_bytes: how much data each stream may receive before more is allowed.
        most_bytes: how much data of one answer is received before the call is reset; None is all,
            with windows that are widened as the data comes.
    """

    def __init__(self, window_bytes: int, most_bytes: int | None) -> None:
        self._window_bytes = window_bytes
        self._most_bytes = most_bytes
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._headers = hpack.Decoder(max_header_list_size=2**20)
        self._waiters: dict[int, asyncio.Future[Answer]] = {}
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._unacknowledged = 0
        self.answers: dict[int, Answer] = {}
        """The calls that have not ended, by their streams' numbers."""
        self.next_stream = 1
        self.lost = asyncio.Event()
        """Set when the connection is gone."""
        self.greeted = asyncio.Event()
        """Set when the server's settings have been acknowledged, or the connection is gone."""
        self.on_data: Callable[[int, int], None] = lambda stream, size: None
        """Told of each piece of data: its stream and its size."""

    # What a test does.

    def send(self, data: bytes) -> None:
        """Send bytes, whatever they are."""
        self._transport.write(data)

    async def flood(self, data: bytes) -> None:
        """Send bytes as fast as the server takes them; ends early if it closes the connection."""
        self.send(data)
        while not self._may_write.is_set() and not self.lost.is_set():
            done = [asyncio.ensure_future(each.wait()) for each in (self._may_write, self.lost)]
            await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.cancel()

    def open_call(
        self, name: str, message: bytes | None, more_headers: Sequence[tuple[str, str]] = ()
    ) -> int:
        """Begin a call and return its stream's number.

        Args:
            name: the method.
            message: the request; None sends none, and says of none that it was the last.
            more_headers: besides those of every call.
        """
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.answers[stream] = Answer(time.monotonic())
        sent = frame(frames.HEADERS, frames.END_HEADERS, stream, call_headers(name, more_headers))
        if message is not None:
            sent += frame(frames.DATA, frames.END_STREAM, stream, grpc_message(message))
        self.send(sent)
        return stream

    async def call(self, name: str, message: bytes) -> Answer:
        """Make a call, and return its answer when it has ended or the connection was lost."""
        return await self.ended(self.open_call(name, message))

    async def ended(self, stream: int) -> Answer:
        """Return the answer of a call when it has ended or the connection was lost."""
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiters[stream] = waiter
        if self.lost.is_set():
            return self.answers[stream]
        return await waiter

    def reset(self, stream: int, code: int = frames.CANCEL) -> None:
        """End a call from this side."""
        self.send(frame(frames.RST_STREAM, 0, stream, struct.pack(">I", code)))
        self._end(stream, reset_code=code)

    def stop_reading(self) -> None:
        """Leave what comes in the kernel's buffers, and the rest on the server's side."""
        self._transport.pause_reading()

    def close(self) -> None:
        """Close the connection without another word."""
        self._transport.abort()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.greeted.set()
        for stream, waiter in self._waiters.items():
            if not waiter.done():
                waiter.set_result(self.answers[stream])
        self._waiters.clear()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        begin = 0
        while len(self._received) - begin >= frames.HEADER_BYTES:
            found = FrameHeader.parse(bytes(self._received[begin : begin + frames.HEADER_BYTES]))
            end = begin + frames.HEADER_BYTES + found.size_bytes
            if len(self._received) < end:
                break
            self._take(found, self._received[begin + frames.HEADER_BYTES : end])
            begin = end
        del self._received[:begin]

    def _take(self, found: FrameHeader, payload: bytearray) -> None:
        if found.kind == frames.DATA:
            self._take_data(found, payload)
        elif found.kind == frames.HEADERS:
            headers = self._headers.decode(bytes(payload))
            if (answer := self.answers.get(found.stream_id)) is not None:
                answer.headers.update((str(name), str(value)) for name, value in headers)
        elif found.kind == frames.RST_STREAM:
            self._end(found.stream_id, reset_code=int.from_bytes(payload, "big"))
        elif found.kind in (frames.SETTINGS, frames.PING) and not found.flags & frames.ACK:
            answered = payload if found.kind == frames.PING else b""
            self.send(frame(found.kind, frames.ACK, 0, bytes(answered)))
            self.greeted.set()
        if found.kind in (frames.DATA, frames.HEADERS) and found.flags & frames.END_STREAM:
            self._end(found.stream_id)

    def _take_data(self, found: FrameHeader, payload: bytearray) -> None:
        self._unacknowledged += found.size_bytes
        if self._unacknowledged > CONNECTION_WINDOW_BYTES // 2:
            self.send(frames.window_update(0, self._unacknowledged))
            self._unacknowledged = 0
        self.on_data(found.stream_id, found.size_bytes)
        answer = self.answers.get(found.stream_id)
        if answer is None:
            return
        answer.size_bytes += found.size_bytes
        if len(answer.data) < KEPT_BYTES:
            answer.data += payload
        if self._most_bytes is None and found.size_bytes:
            self.send(frames.window_update(found.stream_id, found.size_bytes))
        elif self._most_bytes is not None and answer.size_bytes >= self._most_bytes:
            self.reset(found.stream_id)

    def _end(self, stream: int, *, reset_code: int | None = None) -> None:
        answer = self.answers.pop(stream, None)
        if answer is None:
            return
        answer.ended = time.monotonic()
        answer.reset_code = reset_code
        if (waiter := self._waiters.pop(stream, None)) is not None and not waiter.done():
            waiter.set_result(answer)


@asynccontextmanager
async def connect(
    address: str,
    *,
    source: str = "127.0.0.1",
    window_bytes: int = frames.DEFAULT_WINDOW_BYTES,
    most_bytes: int | None = frames.DEFAULT_WINDOW_BYTES // 2,
    greeting: bytes | None = None,
) -> AsyncIterator[Connection]:
    """Yield a connection that has sent its greeting; closed without another word afterwards.

    Unless the greeting is another one, the server's settings have been acknowledged: until then
    gRPC holds a connection to no limit of headers.

    Args:
        address: the server's, host and port.
        source: the address that the server sees.
        window_bytes: see :class:`Connection`.
        most_bytes: likewise.
        greeting: the first bytes; None is what HTTP/2 asks for.
    """
    host, _, port = address.rpartition(":")
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(window_bytes, most_bytes), host, int(port), local_addr=(source, 0)
    )
    if greeting is None:
        more = CONNECTION_WINDOW_BYTES - frames.DEFAULT_WINDOW_BYTES
        ours = {
            frames.INITIAL_WINDOW_SIZE: window_bytes,
            frames.MAX_FRAME_SIZE: frames.LARGEST_FRAME_BYTES,
        }
        greeting = frames.PREFACE + frames.settings(ours) + frames.window_update(0, more)
        connection.send(greeting)
        await connection.greeted.wait()
    else:
        connection.send(greeting)
    try:
        yield connection
    finally:
        connection.close()
