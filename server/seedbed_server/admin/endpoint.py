"""Where Prometheus reads what a server counts, and probes how it is: HTTP on its own address.

Whoever reaches the address could open connections and say nothing. So there are few of them, each
has seconds for a request, and none has a thread.
"""

import asyncio
import socket
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from seedbed.spec.errors import SeedbedError
from seedbed_server.admin.metric_names import SERVING

MAX_CONNECTIONS = 32
MAX_REQUEST_BYTES = 2**13
REQUEST_SECONDS = 5.0
ANSWER_SECONDS = 10.0

TEXT = "text/plain; charset=utf-8"


class AdminListenError(SeedbedError):
    """An address that the admin endpoint cannot have."""


class AdminEndpoint:
    """Answers ``GET /metrics``, ``/livez`` and ``/readyz`` from :meth:`start` to :meth:`close`.

    Args:
        address: ``host:port``; port 0 is a free one.
        registry: what to show.
        processes: how many must serve for the server to be ready.

    Raises:
        AdminListenError: if the address cannot be had.
    """

    def __init__(self, address: str, registry: CollectorRegistry, processes: int = 1) -> None:
        host, _, port = address.rpartition(":")
        self._listener = _listener(address, host.strip("[]"), int(port))
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        """Where it is, the port resolved."""
        self._registry = registry
        self._processes = processes
        # Oldest first: those whose request has not come yet.
        self._waiting: dict[StreamWriter, None] = {}
        self._answered: set[StreamWriter] = set()
        self._one_at_a_time = asyncio.Lock()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to answer, on the running loop."""
        self._server = await asyncio.start_server(
            self._connected, sock=self._listener, limit=MAX_REQUEST_BYTES
        )

    async def close(self) -> None:
        """End it, and all connections."""
        for writer in [*self._waiting, *self._answered]:
            writer.transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._listener.close()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._waiting) + len(self._answered) >= MAX_CONNECTIONS:
            oldest = next(iter(self._waiting), writer)
            self._waiting.pop(oldest, None)
            oldest.transport.abort()
        self._waiting[writer] = None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
            self._waiting.pop(writer, None)
            self._answered.add(writer)
            await self._answer(request, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            self._waiting.pop(writer, None)
            self._answered.discard(writer)
            writer.close()

    async def _answer(self, request: bytes, writer: StreamWriter) -> None:
        # Adding up the counts of many workers reads files, and would hold up the loop.
        async with self._one_at_a_time:
            answer = await asyncio.to_thread(self._answer_to, request)
        # Without room in the transport, draining it means that all has gone to the kernel.
        writer.transport.set_write_buffer_limits(0)
        writer.write(answer)
        async with asyncio.timeout(ANSWER_SECONDS):
            await writer.drain()

    def _answer_to(self, request: bytes) -> bytes:
        method, _, rest = request.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return _response("405 Method Not Allowed", b"only GET is answered here\n")
        if path == b"/metrics":
            return _response("200 OK", generate_latest(self._registry), CONTENT_TYPE_LATEST)
        if path == b"/livez":
            return _response("200 OK", b"alive\n")
        if path == b"/readyz":
            serving = int(self._registry.get_sample_value(SERVING) or 0)
            said = f"{serving} of {self._processes} processes serve\n".encode()
            is_ready = serving >= self._processes
            return _response("200 OK" if is_ready else "503 Service Unavailable", said)
        return _response("404 Not Found", b"there are /metrics, /livez and /readyz\n")


@contextmanager
def shown_by_a_thread(endpoint: AdminEndpoint) -> Iterator[None]:
    """Serve an endpoint within the block, for a process that has no loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="seedbed-admin", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(endpoint.start(), loop).result()
        yield
    finally:
        asyncio.run_coroutine_threadsafe(endpoint.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _listener(address: str, host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, where = found[0]
        # As few are accepted at a time as may be open.
        return socket.create_server(where[:2], family=family, backlog=MAX_CONNECTIONS)
    except OSError:
        message = (
            f"cannot show the status at {address}: "
            "it is in use, not allowed, or no address of this machine"
        )
        raise AdminListenError(message) from None


def _response(status: str, body: bytes, content_type: str = TEXT) -> bytes:
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body
