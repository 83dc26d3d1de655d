"""Readers of endless streams that only count what comes, from addresses of their own.

They cost so little that it is the server who divides what there is.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from itertools import count

from seedbed.v1 import tensors_pb2
from tests.floods.connection import Answer, Connection, connect
from tests.floods.program import program
from tests.raw_calls import sample_request, tensor

ENDLESS_BYTES = 2**30
# Of a dtype that takes the server long for each byte.
DTYPE = tensors_pb2.DTYPE_FLOAT8_E4M3FN
WINDOW_BYTES = 2**20
WARM_UP_SECONDS = 1.5
# They come again whatever they are told.
RETRY_SECONDS = 0.5


def read_for(
    address: str, groups: Sequence[Mapping[str, int]], *, seconds: float
) -> dict[str, int]:
    """Let sources read for a while; return how many bytes came to each.

    Args:
        address: of the server.
        groups: how many streams each source reads; each group is one process.
        seconds: how long, after they have all begun.
    """
    with ExitStack() as stack:
        processes = [
            stack.enter_context(program("readers", address, json.dumps(group), str(seconds)))
            for group in groups
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
        time.sleep(WARM_UP_SECONDS)
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found: dict[str, int] = {}
        for process in processes:
            found |= json.loads(process.communicate()[0])
        return found


def stream_request(name: str, size_bytes: int = ENDLESS_BYTES) -> bytes:
    """Return the request for a tensor of a name's own, which nobody else reads."""
    return sample_request(
        tensor((size_bytes,), "random_normal", name=name, dtype=DTYPE)
    ).SerializeToString()


class Source:
    """One address with its streams.

    Args:
        address: of the server.
        source: this one.
        streams: how many it reads at a time.
        tensor_bytes: how long each is.
        per_connection: how many streams share a connection, and wait for each other's bytes there.
    """

    def __init__(
        self,
        address: str,
        source: str,
        streams: int,
        *,
        tensor_bytes: int = ENDLESS_BYTES,
        per_connection: int = 10,
    ) -> None:
        self._address = address
        self._source = source
        self._streams = streams
        self._names = (f"{source}/{number}" for number in count())
        self._tensor_bytes = tensor_bytes
        self._per_connection = per_connection
        self.size_bytes = 0
        """How many bytes came in all."""
        self.refusals: list[Answer] = []

    async def read(self) -> None:
        """Read until cancelled."""
        counts = [
            min(self._per_connection, self._streams - first)
            for first in range(0, self._streams, self._per_connection)
        ]
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(self._connect()) for _ in counts]
            async with asyncio.TaskGroup() as tasks:
                for connection, streams in zip(connections, counts, strict=True):
                    for _ in range(streams):
                        tasks.create_task(self._read_stream_after_stream(connection))

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Connection]:
        async with connect(
            self._address, source=self._source, window_bytes=WINDOW_BYTES, most_bytes=None
        ) as connection:
            connection.on_data = self._count
            yield connection

    async def _read_stream_after_stream(self, connection: Connection) -> None:
        while True:
            request = stream_request(next(self._names), self._tensor_bytes)
            answer = await connection.call("SampleTensors", request)
            assert answer.ended is not None, "the connection was lost"
            if answer.status != "0":
                self.refusals.append(answer)
                await asyncio.sleep(random.uniform(0.5, 1.5) * RETRY_SECONDS)

    def _count(self, stream: int, size_bytes: int) -> None:
        self.size_bytes += size_bytes


async def _read_all(address: str, group: Mapping[str, int], seconds: float) -> dict[str, int]:
    sources = {source: Source(address, source, streams) for source, streams in group.items()}
    tasks = [asyncio.create_task(each.read()) for each in sources.values()]
    while not all(each.size_bytes for each in sources.values()):
        for task in tasks:
            assert not task.done(), task.exception()
        await asyncio.sleep(0.05)
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    before = {source: each.size_bytes for source, each in sources.items()}
    await asyncio.sleep(seconds)
    found = {source: each.size_bytes - before[source] for source, each in sources.items()}
    for task in tasks:
        assert not task.done(), task.exception()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return found


if __name__ == "__main__":
    print(
        json.dumps(asyncio.run(_read_all(sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3]))))
    )
