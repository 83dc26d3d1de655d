"""One call with one request and a stream of responses, read from HTTP/2's frames."""

import grpc

from seedbed.transports.http2 import frames
from seedbed.transports.http2.connection import Connection
from seedbed.transports.http2.errors import (
    CallError,
    deadline_exceeded,
    no_grpc,
    reset,
    status_in,
)
from seedbed.transports.http2.frames import FrameHeader, frame
from seedbed.transports.statuses import WITHOUT_STATUS

# Before each message: whether it is compressed, and its size (gRPC's PROTOCOL-HTTP2.md).
PREFIX_BYTES = 5

# gRPC's own limit on what a client receives, and its words for it.
MAX_MESSAGE_BYTES = 4 * 2**20


class Http2Call:
    """A call on a connection that has no other. Read by one thread.

    Args:
        connection: not closed by the call.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream_id = connection.begin_stream()
        self._left = 0
        self._padding = 0
        self.has_headers = False
        """Whether the server has begun to answer."""
        self._is_sent = False
        self._is_over = False

    @property
    def is_done(self) -> bool:
        """Whether its answer has been read to the end, so that the connection is free."""
        return self._is_sent and self._is_over and not self._left and not self._padding

    def begin(self, headers: bytes, message: bytes) -> None:
        """Send the request, and return when the server has begun to answer.

        Args:
            headers: the request's, as HPACK has them.
            message: the request.

        Raises:
            CallError: if there is no answer.
        """
        self._connection.expect()
        self._send(headers, message)
        while not self.has_headers:
            self._take_frame()

    def next_message(self) -> int | None:
        """Return the size of the next message, or None at the end.

        The message is then to be read to its end.

        Raises:
            CallError: if the call does not end well.
        """
        self._connection.expect()
        while not self._left:
            if self._is_over:
                return None
            self._take_frame()
        prefix = self.read(PREFIX_BYTES)
        size = int.from_bytes(prefix[1:], "big")
        if prefix[0]:
            raise CallError(
                grpc.StatusCode.INTERNAL,
                "the server sent a compressed message, which was not agreed upon",
            )
        if size > MAX_MESSAGE_BYTES:
            what = f"CLIENT: Received message larger than max ({size} vs. {MAX_MESSAGE_BYTES})"
            raise CallError(grpc.StatusCode.RESOURCE_EXHAUSTED, what)
        return size

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes of a message."""
        if size_bytes <= self._left:
            data = self._connection.read(size_bytes)
            self._consume(size_bytes)
            return data
        memory = bytearray(size_bytes)
        self.read_into(memoryview(memory))
        return bytes(memory)

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes of a message."""
        while memory:
            while not self._left:
                if self._is_over:
                    raise CallError(grpc.StatusCode.INTERNAL, "the stream ended inside a message")
                self._take_frame()
            count = min(len(memory), self._left)
            self._connection.read_into(memory[:count])
            self._consume(count)
            memory = memory[count:]

    def cancel(self) -> None:
        """Tell the server that nothing more is wanted."""
        if not self._is_over:
            self._connection.write(
                frame(frames.RST_STREAM, 0, self._stream_id, frames.CANCEL.to_bytes(4, "big"))
            )
            self._is_over = True

    def _send(self, headers: bytes, message: bytes) -> None:
        """Send the request, as much at a time as the server takes."""
        data = memoryview(b"\0" + len(message).to_bytes(4, "big") + message)
        start = frame(frames.HEADERS, frames.END_HEADERS, self._stream_id, headers)
        while data or start:
            size = min(len(data), self._connection.room_bytes)
            if not size and not start:
                self._take_frame()
                if self._is_over or self._left:  # an answer to a part of the request
                    raise CallError(
                        grpc.StatusCode.INTERNAL,
                        "the server answered before it had all of the request",
                    )
                continue
            flags = frames.END_STREAM if size == len(data) else 0
            body = frame(frames.DATA, flags, self._stream_id, bytes(data[:size])) if size else b""
            self._connection.write(start + body, size)
            start, data = b"", data[size:]
        self._is_sent = True

    def _consume(self, size_bytes: int) -> None:
        self._left -= size_bytes
        if not self._left and self._padding:
            self._connection.read(self._padding)
            self._padding = 0

    def _take_frame(self) -> None:
        """Take the next frame; of data of this stream, only its beginning."""
        found = self._connection.next_frame(self._stream_id)
        if found is None:
            return
        if found.kind == frames.HEADERS:
            self._take_headers(found)
        elif found.kind == frames.RST_STREAM:
            self._connection.is_usable = False
            code = self._connection.error_code(found)
            # A server that was told the deadline may be quicker to notice it.
            raise (
                deadline_exceeded()
                if code == frames.CANCEL and self._connection.is_late
                else reset(code)
            )
        elif self.has_headers:
            self._take_data(found)
        else:
            raise CallError(grpc.StatusCode.INTERNAL, "data came before the headers")

    def _take_headers(self, found: FrameHeader) -> None:
        headers = self._connection.read_headers(found)
        is_last = bool(found.flags & frames.END_STREAM)
        if not self.has_headers and not dict(headers).get(":status", "").startswith("1"):
            self.has_headers = True
            if (error := no_grpc(dict(headers))) is not None:
                raise error
        if is_last:
            self._is_over = True
            if (error := status_in(headers)) is not None:
                raise error

    def _take_data(self, found: FrameHeader) -> None:
        self._left = found.size_bytes
        if found.flags & frames.PADDED:
            self._padding = self._connection.read(1)[0] if found.size_bytes else 0
            self._left -= 1 + self._padding
            if self._left < 0:
                raise CallError(
                    grpc.StatusCode.INTERNAL,
                    "the server sent more padding than its frame has room for",
                )
            if not self._left:
                self._consume(0)
        if found.flags & frames.END_STREAM:
            self._is_over = True
            raise CallError(grpc.StatusCode.UNKNOWN, WITHOUT_STATUS)
