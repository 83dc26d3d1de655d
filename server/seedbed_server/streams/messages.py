"""From a stream's events to the messages that carry them."""

from collections.abc import AsyncIterator, Callable

from seedbed.wire import protos
from seedbed.wire.parts import Chunk, Part, encode_part
from seedbed_server.streams.events import (
    Heartbeat,
    TensorBegin,
    TensorBytes,
    TensorEnd,
    TensorFill,
    TensorSegment,
)
from seedbed_server.streams.stream import Events, TensorStream

NOTHING = memoryview(b"")

# Parts that are ready together share a message up to this size: each message costs as much as
# sampling some thousand elements.
SHARED_MESSAGE_BYTES = 2**16


async def messages(stream: TensorStream, render: Callable[[Events], bytes]) -> AsyncIterator[bytes]:
    """Yield a stream's messages, each of one part or of several small ones.

    Args:
        stream: whose.
        render: makes a message of one part; :func:`encode`.
    """
    parts: list[bytes] = []
    size = 0
    async for part in stream.rendered(render):
        parts.append(part)
        size += len(part)
        ready = stream.ready_bytes
        if ready is not None and size + ready <= SHARED_MESSAGE_BYTES:
            continue
        yield b"".join(parts)
        parts.clear()
        size = 0


def encode(events: Events) -> bytes:
    """Return a SampleTensorsResponse of one part, for events that are ready at the same time.

    The data is copied once, behind its beginning. The copy is made where the message is sent: made
    by the thread that sampled, it would come from another processor's cache (measured: 0.4 core
    seconds a GiB more).
    """
    header = chunk = digest = fill = segment = None
    for event in events:
        match event:
            case TensorBegin(_, plan):
                header = protos.header_to_bytes(plan.request)
            case TensorBytes(_, byte_offset, data, running):
                chunk = Chunk(byte_offset, running, data)
            case TensorFill(_, element, _):
                fill = element
            case TensorSegment(_, directory, path, size_bytes):
                segment = protos.segment_to_bytes(directory, path, size_bytes)
            case TensorEnd(_, found):
                digest = protos.digest_to_bytes(found) if found is not None else None
            case Heartbeat(_, byte_offset):
                chunk = Chunk(byte_offset, b"", NOTHING)
    return encode_part(Part(events[0].tensor_index, header, chunk, digest, fill, segment))
