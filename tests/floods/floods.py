"""Frames that cost their sender nothing, and the connections that they are poured over."""

import asyncio
import struct
import time
from collections.abc import Callable, Iterator
from itertools import count

from seedbed.transports.http2 import frames
from seedbed.transports.http2.frames import frame
from tests.floods.connection import Connection, call_headers, connect, grpc_message
from tests.raw_calls import large_request

PIECE_FRAMES = 500
# Numbers of streams end at 2**31; no flood gets there.
Flood = Callable[[], Iterator[bytes]]
"""Returns the pieces to be sent over one connection."""


def _repeated(data: bytes, first: bytes = b"") -> Flood:
    def pieces() -> Iterator[bytes]:
        yield first
        while True:
            yield data * PIECE_FRAMES

    return pieces


def _each_stream(*parts: tuple[int, int, bytes]) -> Flood:
    """Return the flood that sends the same frames (kind, flags, payload) on one stream each."""

    def pieces() -> Iterator[bytes]:
        for first in count(1, 2 * PIECE_FRAMES):
            streams = range(first, first + 2 * PIECE_FRAMES, 2)
            yield b"".join(
                frame(kind, flags, stream, payload)
                for stream in streams
                for kind, flags, payload in parts
            )

    return pieces


HEADERS = (frames.HEADERS, frames.END_HEADERS, call_headers("SampleTensors"))
REQUEST = (
    frames.DATA,
    frames.END_STREAM,
    grpc_message(large_request(2**30).SerializeToString()),
)
RESET = (frames.RST_STREAM, 0, struct.pack(">I", frames.CANCEL))
OPEN_STREAM = frame(*HEADERS[:2], 1, HEADERS[2])

FLOODS: dict[str, Flood] = {
    # CVE-2023-44487.
    "calls reset at once": _each_stream(HEADERS, RESET),
    "requests reset at once": _each_stream(HEADERS, REQUEST, RESET),
    # CVE-2025-8671: it is the server that resets them.
    "calls that the server must reset": _each_stream(HEADERS, (frames.WINDOW_UPDATE, 0, bytes(4))),
    # CVE-2019-9512.
    "pings": _repeated(frame(frames.PING, 0, 0, bytes(8))),
    # CVE-2019-9515.
    "settings": _repeated(frames.settings({})),
    "long settings": _repeated(frame(frames.SETTINGS, 0, 0, struct.pack(">HI", 6, 2**16) * 50)),
    # CVE-2024-27316.
    "headers without an end": _repeated(
        frame(frames.CONTINUATION, 0, 1, b"\x00\x01x\x01y" * 20),
        frame(frames.HEADERS, 0, 1, HEADERS[2]),
    ),
    "empty parts of headers": _repeated(
        frame(frames.CONTINUATION, 0, 1), frame(frames.HEADERS, 0, 1, HEADERS[2])
    ),
    # CVE-2019-9518.
    "empty data": _repeated(frame(frames.DATA, 0, 1), OPEN_STREAM),
    "window updates": _repeated(frames.window_update(0, 1)),
    "window updates of a stream": _repeated(frames.window_update(1, 1), OPEN_STREAM),
    "frames that nobody knows": _repeated(frame(0x77, 0, 0, b"future")),
}


async def pour(address: str, flood: Flood, *, connections: int, seconds: float) -> tuple[int, int]:
    """Send a flood over several connections, each opened again when the server closes it.

    Returns:
        How many bytes the server has taken, and how many connections that needed.
    """
    end = time.monotonic() + seconds

    async def over_one_after_the_other() -> tuple[int, int]:
        sent = opened = 0
        while time.monotonic() < end:
            opened += 1
            try:
                async with connect(address) as connection:
                    sent += await _poured(connection, flood, end)
            except OSError:  # the server takes no more connections
                await asyncio.sleep(0.01)
        return sent, opened

    ends = await asyncio.gather(*(over_one_after_the_other() for _ in range(connections)))
    return sum(sent for sent, _ in ends), sum(opened for _, opened in ends)


async def _poured(connection: Connection, flood: Flood, end: float) -> int:
    sent = 0
    for piece in flood():
        if connection.lost.is_set() or time.monotonic() >= end:
            break
        try:
            async with asyncio.timeout_at(
                asyncio.get_running_loop().time() + end - time.monotonic()
            ):
                await connection.flood(piece)
        except TimeoutError:  # it has stopped to read
            break
        sent += len(piece)
        # A piece that fits into the socket's buffer is sent without a turn of the loop.
        await asyncio.sleep(0)
    return sent
