"""One HTTP/2 connection to a server: its frames and its flow control.

It has no thread. Whoever has a call on it reads it, and answers the server's settings and pings on
the way; an idle connection says nothing, and is looked at before it is used again.
"""

import math
import select
import socket
import struct
import time
from contextlib import suppress

import hpack

from seedbed.transports.http2 import frames
from seedbed.transports.http2.errors import (
    ConnectionLostError,
    SilentError,
    UnmetError,
    closed_here,
    deadline_exceeded,
)
from seedbed.transports.http2.frames import FrameHeader, frame
from seedbed.transports.try_limits import ALONE, STALL_SECONDS, TryLimits

# Frames' headers and small messages are read together; what is large goes past this, to where it
# belongs.
BUFFER_BYTES = 2**13

# Every byte that comes is read at once to its place, so TCP's own window is all the flow control
# there is to be.
WINDOW_BYTES = 2**30

# Servers take more pings in a row for abuse, unless they have sent something in between.
PING_GAP_SECONDS = 10.0

# So much of a frame shows that an answer goes on. Where damage made a frame's length larger,
# answers to pings pass for a part of it, some bytes each time.
HEARD_BYTES = 1024

# All headers of one answer, and the payload of any frame that is not data.
MAX_HEADERS_BYTES = 2**16

# Bytes from here on stand for a header that the tables hold (RFC 7541, section 6.1).
INDEXED = 0x80
MOST_KNOWN_BLOCKS = 16


class Connection:
    """A connection, for one call at a time.

    Used by one thread at a time; only :meth:`shut` may be called by others.

    Args:
        connected: its socket, which does not block; closed with it.
    """

    def __init__(self, connected: socket.socket) -> None:
        # Read without flags: asking the kernel to fill all of a large memory (MSG_WAITALL) made
        # fetches no faster.
        self._socket = connected
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._begin = 0
        self._end = 0
        self._headers = hpack.Decoder(max_header_list_size=MAX_HEADERS_BYTES)
        self._known_blocks: dict[bytes, list[tuple[str, str]]] = {}
        self._last_stream_id = -1
        self._initial_window = frames.DEFAULT_WINDOW_BYTES
        self._window = frames.DEFAULT_WINDOW_BYTES
        self._stream_window = 0
        self._max_frame_bytes = frames.DEFAULT_MAX_FRAME_BYTES
        self._received = 0
        self._stream_received = 0
        self._is_shut = False
        self._has_settings = False
        self.is_usable = True
        """Whether another call may begin here."""
        self.limits: TryLimits = ALONE
        """How long the call that is under way may wait."""
        self.deadline: float | None = None
        """When it must have ended, by the monotonic clock."""
        self._heard = 0.0  # when something of the call came
        self._unheard_bytes = 0  # what has come since, and may be something else
        self._next_ping = 0.0
        ours = {
            frames.ENABLE_PUSH: 0,
            frames.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
            frames.MAX_FRAME_SIZE: frames.LARGEST_FRAME_BYTES,
            frames.MAX_HEADER_LIST_SIZE: MAX_HEADERS_BYTES,
        }
        more = frames.window_update(0, WINDOW_BYTES - frames.DEFAULT_WINDOW_BYTES)
        self._greeting = frames.PREFACE + frames.settings(ours) + more

    def close(self) -> None:
        """Give the socket back; the server takes it as the end of whatever call was under way."""
        self.is_usable = False
        self._socket.close()

    def __del__(self) -> None:
        # Channels of gRPC need not be closed either.
        if hasattr(self, "_socket"):  # an interrupt may have come before
            self._socket.close()

    def shut(self) -> None:
        """Make the current call end soon with a CANCELLED error; called by another thread."""
        self._is_shut = True
        self.is_usable = False
        with suppress(OSError):  # the server was faster
            self._socket.shutdown(socket.SHUT_RDWR)

    def is_alive(self) -> bool:
        """Return whether an idle connection is still there, after reading what has arrived."""
        try:
            while self.is_usable and self._has_input():
                self.next_frame(None)
        except ConnectionLostError:
            self.is_usable = False
        return self.is_usable

    @property
    def is_late(self) -> bool:
        """Whether the time of the call that is under way is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    @property
    def room_bytes(self) -> int:
        """How many bytes of data the server takes in the next frame of the newest stream."""
        return max(0, min(self._window, self._stream_window, self._max_frame_bytes))

    def expect(self) -> None:
        """Begin to wait for more of the answer: until now, its reader was busy."""
        self._heard = time.monotonic()

    def begin_stream(self) -> int:
        """Return the number of a new stream."""
        self._last_stream_id += 2
        if self._last_stream_id > frames.LARGEST_WINDOW_BYTES - 2:
            self.is_usable = False  # the last of its numbers (section 5.1.1)
        self._stream_window = self._initial_window
        self._stream_received = 0
        return self._last_stream_id

    def write(self, data: bytes, data_bytes: int = 0) -> None:
        """Send frames.

        Args:
            data: the frames.
            data_bytes: how much in them counts for flow control; at most ``room_bytes``.

        Raises:
            ConnectionLostError: if the connection is gone.
            CallError: if the call's time is over, or the client was closed.
        """
        left = memoryview(self._greeting + data)
        self._greeting = b""
        while left:
            try:
                # Some programs let SIGPIPE end them.
                left = left[self._socket.send(left, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                patience = self.limits.silence_seconds + self.limits.answer_seconds
                if not self._wait(select.POLLOUT, patience):
                    self.is_usable = False
                    raise SilentError(f"the server has taken nothing for {patience:g} s") from None
            except OSError as error:
                raise self._gone(error) from None
        self._window -= data_bytes
        self._stream_window -= data_bytes

    def next_frame(self, stream_id: int | None) -> FrameHeader | None:
        """Return the next frame of a stream's answer, its payload unread; handle all others.

        Raises:
            ConnectionLostError: if the connection is gone, or the server breaks the protocol.
            CallError: if the call's time is over, or the client was closed.
        """
        found = self._read_frame_header()
        if found.stream_id == stream_id and found.kind in (
            frames.DATA,
            frames.HEADERS,
            frames.RST_STREAM,
        ):
            self._heard, self._next_ping = time.monotonic(), 0.0
            if found.kind == frames.DATA:
                self._count(found.size_bytes)
                self._count_of_stream(found)
            return found
        self._deal_with(found)
        return None

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes: few of them."""
        if self._end - self._begin >= size_bytes:
            data = bytes(self._buffer[self._begin : self._begin + size_bytes])
            self._begin += size_bytes
            return data
        memory = bytearray(size_bytes)
        self.read_into(memoryview(memory))
        return bytes(memory)

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes."""
        while memory:
            if self._begin == self._end and len(memory) >= BUFFER_BYTES:
                count = self._receive(memory)
                memory = memory[count:]
                self._unheard_bytes += count
                if self._unheard_bytes >= HEARD_BYTES:
                    self._heard, self._unheard_bytes = time.monotonic(), 0
                continue
            if self._begin == self._end:
                self._begin, self._end = 0, self._receive(self._buffer)
            count = min(len(memory), self._end - self._begin)
            memory[:count] = self._buffer[self._begin : self._begin + count]
            self._begin += count
            memory = memory[count:]

    def read_headers(self, first: FrameHeader) -> list[tuple[str, str]]:
        """Return the headers of a HEADERS frame and those that continue it.

        Raises:
            ConnectionLostError: if they are none, or too many.
        """
        block = self._unpadded(first)
        flags = first.flags
        while not flags & frames.END_HEADERS:
            following = self._read_frame_header()
            if following.kind != frames.CONTINUATION or following.stream_id != first.stream_id:
                raise self._lost("headers that were not ended")
            block += self._payload(following)
            if len(block) > MAX_HEADERS_BYTES:
                raise self._lost("more headers than it was allowed")
            flags = following.flags
        return self._decoded(block)

    def error_code(self, found: FrameHeader) -> int:
        """Return what a RST_STREAM frame gives as its reason."""
        return int.from_bytes(self._payload(found), "big")

    # What concerns the connection as a whole.

    def _deal_with(self, found: FrameHeader) -> None:
        if found.kind == frames.DATA:  # of a call that has ended here
            self._count(found.size_bytes)
            self._skip(found.size_bytes)
        # Likewise; the connection's table of headers must not miss them.
        elif found.kind == frames.HEADERS:
            self.read_headers(found)
        elif found.kind == frames.WINDOW_UPDATE:
            self._widen(
                found.stream_id,
                int.from_bytes(self._payload(found), "big") & frames.LARGEST_WINDOW_BYTES,
            )
        elif found.kind == frames.SETTINGS:
            self._take_settings(found)
        elif found.kind == frames.PING:
            payload = self._payload(found)
            if not found.flags & frames.ACK:
                self.write(frame(frames.PING, frames.ACK, 0, payload))
        elif found.kind == frames.GOAWAY:
            self._go_away(self._payload(found))
        elif found.kind in (frames.PUSH_PROMISE, frames.CONTINUATION):
            raise self._lost(f"a frame of kind {found.kind}, which was not due")
        else:  # also kinds that are not known (section 5.5)
            self._skip(found.size_bytes)

    def _take_settings(self, found: FrameHeader) -> None:
        payload = self._payload(found)
        if found.flags & frames.ACK:
            return
        for name, value in frames.settings_in(payload):
            if not frames.is_allowed(name, value):
                raise self._lost(f"{value} for setting {name}, which is not allowed")
            if name == frames.INITIAL_WINDOW_SIZE:  # also of streams that are open (section 6.9.2)
                self._stream_window += value - self._initial_window
                self._initial_window = value
            elif name == frames.MAX_FRAME_SIZE:
                self._max_frame_bytes = value
        self.write(frame(frames.SETTINGS, frames.ACK, 0))

    def _widen(self, stream_id: int, size_bytes: int) -> None:
        if stream_id == 0:
            self._window += size_bytes
        elif stream_id == self._last_stream_id:
            self._stream_window += size_bytes

    def _go_away(self, payload: bytes) -> None:
        """Begin no more calls here; one that the server will not answer is lost (section 6.8)."""
        self.is_usable = False
        last, code = struct.unpack(">II", payload[:8].ljust(8, b"\0"))
        if self._last_stream_id > last & frames.LARGEST_WINDOW_BYTES:
            raise ConnectionLostError(
                f"the server goes away (HTTP/2 error {code}): {payload[8:208]!r}"
            )

    def _count(self, size_bytes: int) -> None:
        """Count received data; widen the window when half of it is used (section 6.9.1)."""
        self._received += size_bytes
        if self._received > WINDOW_BYTES // 2:
            self.write(frames.window_update(0, self._received))
            self._received = 0

    def _count_of_stream(self, found: FrameHeader) -> None:
        """Do the same for the window of the call's stream."""
        self._stream_received += found.size_bytes
        if self._stream_received > WINDOW_BYTES // 2:
            self.write(frames.window_update(found.stream_id, self._stream_received))
            self._stream_received = 0

    # Bytes.

    def _read_frame_header(self) -> FrameHeader:
        found = FrameHeader.parse(self.read(frames.HEADER_BYTES))
        if not self._has_settings and found.kind != frames.SETTINGS:
            raise self._lost("what is no HTTP/2")
        self._has_settings = True
        return found

    def _payload(self, found: FrameHeader) -> bytes:
        if found.size_bytes > MAX_HEADERS_BYTES:
            raise self._lost(f"a frame of kind {found.kind} of {found.size_bytes} bytes")
        return self.read(found.size_bytes)

    def _unpadded(self, found: FrameHeader) -> bytes:
        """Return the part of a HEADERS frame that is headers (section 6.2)."""
        payload = self._payload(found)
        begin = (1 if found.flags & frames.PADDED else 0) + (
            5 if found.flags & frames.PRIORITY else 0
        )
        end = len(payload) - (payload[0] if found.flags & frames.PADDED and payload else 0)
        if begin > end:
            raise self._lost("more padding than its frame has room for")
        return payload[begin:end]

    def _decoded(self, block: bytes) -> list[tuple[str, str]]:
        """Return the headers of a block.

        One that only points into the tables means the same until these change.
        """
        if (known := self._known_blocks.get(block)) is not None:
            return known
        try:
            headers = [(str(name), str(value)) for name, value in self._headers.decode(block)]
        except hpack.HPACKError:
            raise self._lost("headers that make no sense") from None
        if block and min(block) >= INDEXED and len(self._known_blocks) < MOST_KNOWN_BLOCKS:
            self._known_blocks[block] = headers
        else:
            self._known_blocks.clear()
        return headers

    def _skip(self, size_bytes: int) -> None:
        while size_bytes:
            size_bytes -= len(self.read(min(size_bytes, BUFFER_BYTES)))

    def _has_input(self) -> bool:
        if self._begin < self._end:
            return True
        self._poll.modify(self._socket, select.POLLIN)
        return bool(self._poll.poll(0))  # also at the connection's end, which is read like the rest

    def _receive(self, memory: memoryview) -> int:
        """Read at least one byte, and return how many."""
        while True:
            self._await_input()
            # The kernel still hands out what came before the connection was shut; who shut it
            # waits for this to end.
            if self._is_shut:
                raise closed_here()
            try:
                count = self._socket.recv_into(memory)
            except BlockingIOError:  # what came was damaged, and the kernel has thrown it away
                continue
            except OSError as error:
                raise self._gone(error) from None
            if not count:
                raise self._gone(None)
            return count

    def _await_input(self) -> None:
        """Wait until there is something to read; ping a server that is silent."""
        patience = max(self.limits.silence_seconds, self._next_ping - time.monotonic())
        if not self._wait(select.POLLIN, patience):
            self._next_ping = time.monotonic() + PING_GAP_SECONDS
            self.write(frame(frames.PING, 0, 0, bytes(8)))
            if not self._wait(select.POLLIN, self.limits.answer_seconds):
                self.is_usable = False
                raise SilentError(
                    f"no sign of life for {patience + self.limits.answer_seconds:.3g} s"
                )
        if time.monotonic() - self._heard > STALL_SECONDS:
            self.is_usable = False
            raise SilentError(f"nothing of the answer came for {STALL_SECONDS:g} s")

    def _wait(self, event: int, patience_seconds: float) -> bool:
        """Return whether the socket was ready in time.

        Raises:
            CallError: if the call's time is over.
        """
        seconds = patience_seconds
        if self.deadline is not None:
            seconds = min(seconds, self.deadline - time.monotonic())
            if seconds <= 0:
                raise deadline_exceeded()
        self._poll.modify(self._socket, event)
        if self._poll.poll(math.ceil(seconds * 1000)):
            return True
        if self.is_late:
            raise deadline_exceeded()
        return False

    def _lost(self, what: str) -> ConnectionLostError:
        self.is_usable = False
        return self._error(f"the server sent {what}")

    def _gone(self, error: OSError | None) -> Exception:
        self.is_usable = False
        if self._is_shut:
            return closed_here()
        why = error.strerror if error is not None else "the server closed the connection"
        return self._error(f"the connection is gone: {why}")

    def _error(self, details: str) -> ConnectionLostError:
        return (ConnectionLostError if self._has_settings else UnmetError)(details)
