"""A relay that forwards what a server sends in slices, and holds it back where a test says."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.http2_server import PATIENCE_SECONDS

BLOCK_BYTES = 2**16


class Slicer:
    """Forwards connections to a server; made by :func:`slicer`."""

    def __init__(self, server: tuple[str, int], slice_bytes: int) -> None:
        self._server = server
        self._slice_bytes = slice_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._room_bytes: int | None = None
        self.held_bytes = 0
        """How much has come that may not pass yet."""

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def let_pass(self, size_bytes: int | None) -> None:
        """Let so many more bytes pass to clients; None is all of them."""
        with self._changed:
            self._room_bytes = size_bytes
            self._changed.notify_all()

    def wait_held(self) -> None:
        """Return when something is held back."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.held_bytes > 0, PATIENCE_SECONDS)

    def stop(self) -> None:
        """End all connections."""
        self.let_pass(None)
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        while self._threads:
            self._threads.pop().join()
        for each in (self._listener, *self._sockets):
            each.close()

    def accept(self) -> None:
        """Forward each connection; runs in a thread."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [near, far]
            self.start(self._pump, near, far, None)
            self.start(self._pump, far, near, self._slice_bytes)

    def start(self, work: Callable[..., None], *arguments: object) -> None:
        """Do something in a thread."""
        thread = threading.Thread(target=work, args=arguments, name="slicer")
        self._threads.append(thread)
        thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket, slice_bytes: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(BLOCK_BYTES):
                while data:
                    size = len(data) if slice_bytes is None else self._room(slice_bytes, len(data))
                    sink.sendall(data[:size])
                    data = data[size:]
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _room(self, slice_bytes: int, held_bytes: int) -> int:
        """Return how much may pass, when something may."""
        with self._changed:
            self.held_bytes = held_bytes
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._room_bytes != 0)
            self.held_bytes = 0
            if self._room_bytes is None:
                return slice_bytes
            size = min(slice_bytes, self._room_bytes)
            self._room_bytes -= size
            return size


@contextmanager
def slicer(server: tuple[str, int], slice_bytes: int = BLOCK_BYTES) -> Iterator[Slicer]:
    """Yield a relay to a server that sends at most so many bytes at a time to clients."""
    relay = Slicer(server, slice_bytes)
    relay.start(relay.accept)
    try:
        yield relay
    finally:
        relay.stop()
