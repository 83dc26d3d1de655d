"""Other peers of a server under test: connections that come from other addresses of 127.0.0.0/8."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

PIECE_BYTES = 2**16


@contextmanager
def peer_at(host: str, server: str) -> Iterator[str]:
    """Yield an address whose connections reach a server from ``host``, such as ``127.0.0.2``."""
    name, _, port = server.rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):  # the listener is closed
                while True:
                    near, _ = listener.accept()
                    far = socket.create_connection((name, int(port)), source_address=(host, 0))
                    for pair in ((near, far), (far, near)):
                        threading.Thread(target=_pump, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends, and then end the other."""
    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with closing(source), suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
