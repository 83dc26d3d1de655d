"""From a stream's events to the messages that carry them."""

from seedbed.wire import protos
from seedbed.wire.chunks import Chunk, Frame, encode_frame
from seedbed_server.streams.events import (
    Heartbeat,
    StreamEvent,
    TensorBegin,
    TensorBytes,
    TensorEnd,
    TensorFill,
    TensorSegment,
)

NOTHING = memoryview(b"")


def encode(events: tuple[StreamEvent, ...]) -> bytes:
    """Return one SampleTensorsResponse for events that are ready at the same time.

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
    return encode_frame(Frame(events[0].tensor_index, header, chunk, digest, fill, segment))
