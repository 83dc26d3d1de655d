"""Where people and programs see how a server is: HTTP on its own address.

Whoever reaches the address could open connections and say nothing. So there are few of them, each
has seconds for a request, and one thread answers all.
"""

import asyncio
import os
import socket
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from seedbed.spec.errors import SeedbedError
from seedbed_server.admin.history import STEP_SECONDS
from seedbed_server.admin.site import Site

MAX_CONNECTIONS = 32
MAX_REQUEST_BYTES = 2**13
REQUEST_SECONDS = 5.0
ANSWER_SECONDS = 10.0

T = TypeVar("T")


class AdminListenError(SeedbedError):
    """An address that the admin endpoint cannot have."""


class AdminEndpoint:
    """Answers requests, and keeps a history, from :meth:`start` to :meth:`close`.

    Args:
        address: ``host:port``; port 0 is a free one.
        registry: the server's metrics.
        expected: how many processes must serve for the server to be ready.
        pids: of the server's processes, by name: what is added later is seen. None is this one.

    Raises:
        AdminListenError: if the address cannot be had.
    """

    def __init__(
        self,
        address: str,
        registry: CollectorRegistry,
        *,
        expected: int = 1,
        pids: Mapping[str, int] | None = None,
    ) -> None:
        host, _, port = address.rpartition(":")
        self._listener = _listener(address, host.strip("[]"), int(port))
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        """Where it is, the port resolved."""
        pids = {"": os.getpid()} if pids is None else pids
        self._site = Site(registry, host=host, expected=expected, pids=pids)
        self._looking: asyncio.Task[None] | None = None
        # Oldest first: those whose request has not come yet.
        self._waiting: dict[StreamWriter, None] = {}
        self._answered: set[StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="seedbed-admin")
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to answer, on the running loop."""
        self._server = await asyncio.start_server(
            self._connected, sock=self._listener, limit=MAX_REQUEST_BYTES
        )
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """End it, and all connections."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        if self._server is not None:
            self._server.close()
        for writer in [*self._waiting, *self._answered]:
            writer.transport.abort()
        if self._tasks:  # they end at once, but for one whose answer is being made
            await asyncio.wait(self._tasks)
        if self._server is not None:
            await self._server.wait_closed()
        self._listener.close()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
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
        answer = await self._in_thread(self._site.answer, request)
        # Without room in the transport, draining it means that all has gone to the kernel.
        writer.transport.set_write_buffer_limits(0)
        writer.write(answer)
        async with asyncio.timeout(ANSWER_SECONDS):
            await writer.drain()

    async def _look(self) -> None:
        """Keep the history; runs until it is cancelled."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            await self._in_thread(self._site.look)
            # Where the machine is too busy for one look it is left out.
            due = max(due + STEP_SECONDS, clock())
            await asyncio.sleep(due - clock())

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        # Adding up the counts of many workers reads files, and would hold up the loop.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *arguments)


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
        return socket.create_server(
            where[:2],
            family=family,
            backlog=MAX_CONNECTIONS,  # as few are accepted at a time as may be open
            dualstack_ipv6=where[0] == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        # What Python adds to the system's words has the address once more.
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        message = f"cannot show the status at {address}: {reason}"
        raise AdminListenError(message) from None
