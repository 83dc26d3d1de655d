"""A proxy that cuts, stalls, delays and damages connections, each by a plan drawn by a seed.

It forwards from and to TCP and Unix sockets, on an event loop in a thread of its own. What it did
stands in its counts.
"""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.plans import Plan, Schedule

BLOCK_BYTES = 256 * 1024
TRICKLE_BLOCK_BYTES = 16 * 1024
STOP_SECONDS = 120.0


class Proxy:
    """What a test knows of the proxy.

    Args:
        server: where it forwards to, as a target: ``host:port`` or ``unix:/path``.
        schedule: draws each connection's plan.
        seed: of what is drawn; the n-th connection draws the same each time.
    """

    def __init__(self, server: str, schedule: Schedule, seed: int) -> None:
        self._server = server
        self._schedule = schedule
        self._seed = seed
        self._writers: set[asyncio.StreamWriter] = set()
        self.target = ""
        """Where it listens."""
        self.counts: Counter[str] = Counter()
        """The connections, and the faults by their kind, that really came to pass."""
        self.bytes_to_client = 0
        self.bytes_to_server = 0

    async def listen(self, path: Path | None) -> asyncio.Server:
        """Open its socket."""
        if path is not None:
            self.target = f"unix:{path}"
            return await asyncio.start_unix_server(self._serve, str(path), limit=BLOCK_BYTES)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=BLOCK_BYTES)
        self.target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    def abort(self) -> None:
        """Cut all connections."""
        for writer in tuple(self._writers):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plan = self._schedule(Random(f"{self._seed}/{self.counts['connections']}"))
        self.counts["connections"] += 1
        self._add(writer)
        try:
            await self._connect(plan, reader, writer)
        # Either end may go at any moment, and the other one is told by the end of its connection.
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _add(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        self._writers.add(writer)

    async def _connect(
        self, plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if plan.kind == "refuse":
            self.counts["refuse"] += 1
            _reset(writer)
            return
        if plan.kind == "silence":
            self.counts["silence"] += 1
            await _swallow(reader)
            return
        far_reader, far_writer = await _open(self._server)
        self._add(far_writer)
        pumps = [
            asyncio.create_task(self._pump(plan, reader, far_writer, to_server=True)),
            asyncio.create_task(self._pump(plan, far_reader, writer, to_server=False)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            self._writers.discard(far_writer)
            far_writer.transport.abort()

    async def _pump(
        self,
        plan: Plan,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_server: bool,
    ) -> None:
        """Forward one direction to its end; raise an OSError to end both."""
        is_struck = plan.kind != "nothing" and plan.to_server is to_server
        passed = 0
        while block := await reader.read(BLOCK_BYTES):
            if is_struck and passed + len(block) > plan.byte:
                is_struck = False
                at = max(0, plan.byte - passed)
                await self._pass(block[:at], writer, to_server=to_server)
                block = await self._strike(plan, block[at:], reader, writer, to_server=to_server)
                passed += at
            passed += len(block)
            await self._pass(block, writer, to_server=to_server)
        writer.write_eof()

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, *, to_server: bool) -> None:
        if to_server:
            self.bytes_to_server += len(data)
        else:
            self.bytes_to_client += len(data)
        writer.write(data)
        await writer.drain()  # all of it: what has been passed arrives, whatever happens next

    async def _strike(
        self,
        plan: Plan,
        data: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_server: bool,
    ) -> bytes:
        """Do what is planned, and return what is to be forwarded then."""
        self.counts[plan.kind] += 1
        match plan.kind:
            case "cut":
                raise ConnectionResetError
            case "half-close":
                writer.write_eof()
                await _swallow(reader)
            case "stall":
                await _swallow(reader)
            case "delay":
                await asyncio.sleep(plan.seconds)
            case "flip":
                return bytes([data[0] ^ 1 << plan.bit]) + data[1:]
            case "trickle":
                while data:
                    await self._pass(data, writer, to_server=to_server)
                    await asyncio.sleep(len(data) / plan.bytes_per_second)
                    data = await reader.read(TRICKLE_BLOCK_BYTES)
        return data


async def _open(server: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if server.startswith("unix:"):
        return await asyncio.open_unix_connection(server.removeprefix("unix:"), limit=BLOCK_BYTES)
    host, _, port = server.rpartition(":")
    return await asyncio.open_connection(host, int(port), limit=BLOCK_BYTES)


async def _swallow(reader: asyncio.StreamReader) -> None:
    """Read until the sender gives up, and forward nothing."""
    while await reader.read(BLOCK_BYTES):
        pass
    raise ConnectionResetError


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by a TCP reset."""
    connected: Any = writer.get_extra_info("socket")
    if connected is not None and connected.family != socket.AF_UNIX:
        with suppress(OSError):  # closed already
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def faulty_proxy(
    server: str, schedule: Schedule, *, seed: int = 0, path: Path | None = None
) -> Iterator[Proxy]:
    """Yield a proxy; its arguments are those of :class:`Proxy`, and the path of a Unix socket."""
    proxy = Proxy(server, schedule, seed)
    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(proxy.listen(path))
    thread = threading.Thread(target=loop.run_forever, name="faulty-proxy")
    thread.start()

    async def stop() -> None:
        listener.close()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            proxy.abort()
            await asyncio.wait(tasks, timeout=0.1)

    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
