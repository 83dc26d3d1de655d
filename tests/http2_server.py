"""A gRPC server that a test drives frame by frame, on python-hyper's h2.

Whatever h2 takes for a breach of the protocol by the client fails the test, at the end of the
server's block.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    PingReceived,
    RequestReceived,
    SettingsAcknowledged,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import StreamClosedError

from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connections import Connections

# Nobody waits longer for what a test expects; a test that needs this long has failed.
PATIENCE_SECONDS = 60.0
BLOCK_BYTES = 2**16

METHOD = "/seedbed.v1.SeedbedService/SampleTensors"
OK_HEADERS = ((":status", "200"), ("content-type", "application/grpc"))

# Frames that h2 would not send, by their numbers in RFC 9113.
(
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
) = range(10)

Headers = Sequence[tuple[str, str]]


def raw_frame(
    kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0, claimed: int | None = None
) -> bytes:
    """Return an HTTP/2 frame; ``claimed`` is a length that is not the payload's."""
    size = len(payload) if claimed is None else claimed
    return struct.pack(">I", size)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def prefixed(message: bytes) -> bytes:
    """Return a message as gRPC sends it, uncompressed."""
    return b"\0" + struct.pack(">I", len(message)) + message


class ClosedError(Exception):
    """The client is gone, or the test is over."""


class Line:
    """One connection, as the server sees it. All but the counts belongs to its thread."""

    def __init__(self, server: "ScriptedServer", connected: socket.socket) -> None:
        self.server = server
        self.socket = connected
        self.engine = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.calls: dict[int, Exchange] = {}
        self.due: list[Exchange] = []
        self.settings_acks = 0
        self.ping_acks: list[bytes] = []
        self.pings = 0
        """Asked by the client; h2 answers them when they are read."""
        self.is_closed = False

    def secure(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except OSError:
            raise ClosedError from None

    def flush(self) -> None:
        """Send what h2 has to say, unless another protocol is spoken."""
        if self.server.greeting is None:
            self.raw(self.engine.data_to_send())

    def raw(self, data: bytes) -> None:
        """Send bytes that h2 knows nothing of."""
        try:
            self.socket.sendall(data)
        except OSError:
            raise ClosedError from None

    def take(self, seconds: float | None) -> None:
        """Read once, and note what came."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(BLOCK_BYTES)
        except TimeoutError:
            raise AssertionError("the client does not send what the test waits for") from None
        except OSError:
            raise ClosedError from None
        if not data:
            raise ClosedError
        with self.server.changed:
            for event in self.engine.receive_data(data):
                self._note(event)
            self.server.changed.notify_all()
        self.flush()

    def pump(self, until: Callable[[], bool]) -> None:
        """Read, and answer as HTTP/2 demands, until something is so."""
        while not until():
            self.take(PATIENCE_SECONDS)

    def close(self, *, is_rude: bool = False) -> None:
        """Close the connection; rudely is with a TCP reset."""
        self.is_closed = True
        if is_rude:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.close()

    def serve(self) -> None:
        """Answer calls until the client is gone."""
        if self.server.greeting is not None:
            self.raw(self.server.greeting)
        else:
            self.engine.initiate_connection()
            self.flush()
        while not self.is_closed:
            while self.due and not self.is_closed:
                exchange = self.due.pop(0)
                with suppress(StreamClosedError):  # cancelled, which the test sees in `reset_code`
                    self.server.answer(exchange)(exchange)
            if not self.is_closed:
                self.take(None)

    def _note(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            exchange = Exchange(
                self, event.stream_id, [(str(name), str(value)) for name, value in event.headers]
            )
            self.calls[event.stream_id] = exchange
            self.server.exchanges.append(exchange)
            if self.server.is_eager:
                self.due.append(exchange)
        elif isinstance(event, DataReceived):
            exchange = self.calls[event.stream_id]
            exchange.body += event.data
            exchange.sizes.append(len(event.data))
            if self.server.is_generous and event.flow_controlled_length:
                self.engine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            exchange = self.calls[event.stream_id]
            exchange.is_ended = True
            if not self.server.is_eager:
                self.due.append(exchange)
        elif isinstance(event, StreamReset):
            self.calls[event.stream_id].reset_code = int(event.error_code)
        elif isinstance(event, SettingsAcknowledged):
            self.settings_acks += 1
        elif isinstance(event, PingReceived):
            self.pings += 1
        elif isinstance(event, PingAckReceived):
            self.ping_acks.append(event.ping_data)


class Exchange:
    """One call: what the client sent of it, and the means to answer."""

    def __init__(self, line: Line, stream_id: int, headers: list[tuple[str, str]]) -> None:
        self.line = line
        self.stream_id = stream_id
        self.headers = headers
        self.body = bytearray()
        self.sizes: list[int] = []
        """Of the request's DATA frames."""
        self.is_ended = False
        """Whether the request is there as a whole."""
        self.reset_code: int | None = None
        """Set when the client has cancelled."""

    @property
    def message(self) -> bytes:
        """The request without gRPC's prefix."""
        assert self.body[:5] == b"\0" + struct.pack(">I", len(self.body) - 5)
        return bytes(self.body[5:])

    def start(self, headers: Headers = OK_HEADERS, *, end: bool = False) -> None:
        """Send headers; also trailers, and answers without a body."""
        self.line.engine.send_headers(self.stream_id, list(headers), end_stream=end)
        self.line.flush()

    def start_in_pieces(self, headers: Headers, size: int, *, end: bool = False) -> None:
        """Send headers in frames of no more than a size."""
        stream = self.line.engine.streams[self.stream_id]
        usual, stream.max_outbound_frame_size = stream.max_outbound_frame_size, size
        self.start(headers, end=end)
        stream.max_outbound_frame_size = usual

    def data(self, data: bytes, *, pad: int | None = None, end: bool = False) -> None:
        """Send a piece of the body, in one frame unless the client's windows demand more."""
        engine, padding = self.line.engine, 0 if pad is None else pad + 1
        least = padding + min(len(data), 1)
        while True:
            self.line.pump(lambda: engine.local_flow_control_window(self.stream_id) >= least)
            room = (
                min(
                    engine.local_flow_control_window(self.stream_id), engine.max_outbound_frame_size
                )
                - padding
            )
            piece, data = data[:room], data[room:]
            engine.send_data(self.stream_id, piece, end_stream=end and not data, pad_length=pad)
            self.line.flush()
            if not data:
                return

    def end(self, status: str = "0", *more: tuple[str, str]) -> None:
        """Send trailers."""
        self.start([("grpc-status", status), *more], end=True)

    def answer(self, *messages: bytes) -> None:
        """Send all of a good answer."""
        self.start()
        for message in messages:
            self.data(prefixed(message))
        self.end()

    def reset(self, code: int) -> None:
        """End the stream with an error."""
        self.line.engine.reset_stream(self.stream_id, ErrorCodes(code))
        self.line.flush()

    def raw(self, data: bytes) -> None:
        """Send bytes that h2 knows nothing of."""
        self.line.raw(data)

    def hold(self, seconds: float = 3 * PATIENCE_SECONDS) -> None:
        """Neither read nor send, for a time or to the end of the test."""
        if self.line.server.is_over.wait(seconds):
            raise ClosedError


Answer = Callable[[Exchange], None]


class ScriptedServer:
    """What a test knows of the server.

    Args:
        listener: where it listens.
        answers: one for each call, whatever its connection; further calls get the last.
        is_eager: whether a call is answered when its headers are there, and not its message.
        is_generous: whether all that a client sends is acknowledged at once, so that it may send as
            much again.
        greeting: sent at first in place of what HTTP/2 demands.
        tls: its side of TLS; None is plain connections.
    """

    def __init__(
        self,
        listener: socket.socket,
        answers: Sequence[Answer],
        *,
        is_eager: bool,
        is_generous: bool,
        greeting: bytes | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.answers = list(answers)
        self.is_eager = is_eager
        self.is_generous = is_generous
        self.greeting = greeting
        self.tls = tls
        self.changed = threading.Condition()
        self.is_over = threading.Event()
        self.lines: list[Line] = []
        self.exchanges: list[Exchange] = []
        self.failures: list[BaseException] = []
        self._listener = listener
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> Address:
        """Where it listens."""
        if self._listener.family == socket.AF_UNIX:
            return Address(self._listener.getsockname(), "", 0)
        host, port = self._listener.getsockname()[:2]
        return Address(None, f"[{host}]" if ":" in host else host, port)

    @property
    def target(self) -> str:
        """Likewise, for gRPC and for ``connect``."""
        return (
            f"unix:{self.address.path}" if self.address.path is not None else self.address.authority
        )

    def connections(self) -> Connections:
        """Return a client of it."""
        return Connections(self.address)

    def answer(self, exchange: Exchange) -> Answer:
        """Return what is to be done with a call."""
        return self.answers[min(self.exchanges.index(exchange), len(self.answers) - 1)]

    def wait_for(self, is_so: Callable[[], bool]) -> None:
        """Return when something is so; fail if it does not become so."""
        with self.changed:
            assert self.changed.wait_for(is_so, PATIENCE_SECONDS), (
                "the client does not do what the test waits for"
            )

    def accept(self) -> None:
        """Give each connection a thread; runs in one itself."""
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            if connected.family != socket.AF_UNIX:
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = Line(self, connected)
            thread = threading.Thread(target=self._serve, args=(line,), name="http2-line")
            with self.changed:
                self.lines.append(line)
                self._threads.append(thread)
                self.changed.notify_all()
            thread.start()

    def stop(self, accepting: threading.Thread) -> None:
        """End everything, and say what went wrong."""
        self.is_over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for line in self.lines:
            with suppress(OSError):  # closed already
                line.socket.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for line in self.lines:
            line.socket.close()

    def _serve(self, line: Line) -> None:
        try:
            if self.tls is not None:
                line.secure(self.tls)
            line.serve()
        except ClosedError:
            pass
        except Exception as failure:  # noqa: BLE001  # raised again where the test sees it
            self.failures.append(failure)
        with suppress(OSError):
            line.socket.shutdown(socket.SHUT_RDWR)
        with self.changed:
            line.is_closed = True
            self.changed.notify_all()


@contextmanager
def scripted_server(
    *answers: Answer,
    listener: socket.socket | None = None,
    is_eager: bool = False,
    is_generous: bool = True,
    greeting: bytes | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[ScriptedServer]:
    """Yield a server; its arguments are those of :class:`ScriptedServer`."""
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        server = ScriptedServer(
            listening,
            answers,
            is_eager=is_eager,
            is_generous=is_generous,
            greeting=greeting,
            tls=tls,
        )
        accepting = threading.Thread(target=server.accept, name="http2-accept")
        accepting.start()
        try:
            yield server
        finally:
            server.stop(accepting)
        for failure in server.failures:
            raise failure


def unix_listener(path: Path) -> socket.socket:
    """Return a socket that listens in the file system."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener
