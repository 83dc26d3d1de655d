"""The messages of one SampleTensors call: what a stream samples, in the form that its client understands best.

A tensor comes as chunks, sampled straight into the messages that carry them. For a client that accepts it, a constant
tensor comes as one element, and a large one as a segment in shared memory; these two have a single message, the last.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedbed.wire import protos
from seedbed.wire.chunks import Chunk, Draft, Frame, encode_frame
from seedbed_server.backends.base import Fill
from seedbed_server.flights import Buffer
from seedbed_server.metrics import Lane
from seedbed_server.refusals import OverloadedError
from seedbed_server.sampler import SamplePlan
from seedbed_server.segments import MIN_SEGMENT_BYTES, Segment, SegmentFolder
from seedbed_server.streaming import NOTHING, Piece, ReusedMemory

# How long a client may take to open a segment after the last message.
SEGMENT_LINGER_SECONDS = 60.0
FULL_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Absorbed:
    """A piece that goes into no message of its own."""

    inner: Buffer
    piece: Piece

    @property
    def data(self) -> NDArray[np.uint8]:
        return self.inner.data


class Messages:
    """Where the pieces of a call are sampled to, and what is sent of them.

    Args:
        accepts_fill: whether the client understands a constant as one element.
        segments: where to put large tensors, if the client can map them.
    """

    def __init__(self, *, accepts_fill: bool = False, segments: SegmentFolder | None = None) -> None:
        self._accepts_fill = accepts_fill
        self._folder = segments
        self._reused = ReusedMemory()
        self._segments: dict[int, Segment | None] = {}
        self._header_due: set[int] = set()

    @property
    def has_segments(self) -> bool:
        """Whether the client has files to open."""
        return any(self._segments.values())

    def is_shared(self, tensor_index: int, plan: SamplePlan) -> bool:
        """Return whether a tensor's messages may be sent to other clients as well."""
        return self.lane(tensor_index, plan) == "stream"

    def lane(self, tensor_index: int, plan: SamplePlan) -> Lane:
        """Return how a tensor goes to the client."""
        if self._is_fill(plan):
            return "fill"
        return "stream" if self._segment(tensor_index, plan) is None else "shared_memory"

    def take(self, piece: Piece, size_bytes: int) -> Buffer:
        """Return the draft of the piece's message, or memory for what is not sent as a chunk."""
        if self.is_shared(piece.tensor_index, piece.plan):
            return Draft(_draft_of(piece), size_bytes)
        return _Absorbed(self._reused.take(piece, size_bytes), piece)

    def filled(self, buffer: Buffer) -> None:
        """Write what was sampled for a segment to its place.

        Raises:
            OverloadedError: if shared memory is full.
        """
        if not isinstance(buffer, _Absorbed):
            return
        segment = self._segments.get(buffer.piece.tensor_index)
        if segment is None:
            return
        try:
            segment.write(buffer.piece.byte_offset, buffer.data)
        except OSError:
            message = "the server's shared memory is full; ask without accepts_segments"
            reason = "SHARED_MEMORY_FULL"
            raise OverloadedError(message, reason=reason, retry_after_seconds=FULL_RETRY_SECONDS) from None

    def give_back(self, buffer: Buffer) -> None:
        """Keep memory of what was not sent for a later piece; a draft's belongs to its message."""
        if isinstance(buffer, _Absorbed):
            self._reused.give_back(buffer.inner)

    def encode(self, piece: Piece) -> bytes | None:
        """Return the piece's message, or None if it has none."""
        if isinstance(piece.buffer, Draft):
            return piece.buffer.encode(_draft_of(piece))
        if piece.buffer is None:  # a sign of life, or a tensor without bytes
            return encode_frame(_empty_frame(piece))
        if piece.is_first:
            self._header_due.add(piece.tensor_index)
        return None if piece.digest is None else self._whole(piece)

    def close(self) -> None:
        """Remove the segments; what a client has mapped stays with it."""
        segments, self._segments = self._segments, {}
        for segment in segments.values():
            if segment is not None:
                segment.remove()

    def _is_fill(self, plan: SamplePlan) -> bool:
        return self._accepts_fill and isinstance(plan.rule, Fill)

    def _segment(self, tensor_index: int, plan: SamplePlan) -> Segment | None:
        if self._folder is None or plan.size_bytes < MIN_SEGMENT_BYTES:
            return None
        if tensor_index not in self._segments:
            self._segments[tensor_index] = self._folder.create(plan.size_bytes)
        return self._segments[tensor_index]

    def _whole(self, piece: Piece) -> bytes:
        """Return the one message of a tensor that has no chunks."""
        index = piece.tensor_index
        header = _header(piece) if index in self._header_due else None
        segment = None if self._is_fill(piece.plan) else self._segments[index]
        if segment is None or self._folder is None:
            fill, where = bytes(piece.data[: piece.plan.dtype.itemsize]), None
        else:
            path = self._folder.path_of(segment)
            fill, where = None, protos.segment_to_bytes(str(self._folder.directory), path, segment.size_bytes)
        return encode_frame(Frame(index, header, None, _digest(piece), fill, where))


def _draft_of(piece: Piece) -> Frame:
    """Return the frame of a piece without its data, which lies in the draft."""
    return _frame(piece, Chunk(piece.byte_offset, piece.crc32c, NOTHING.data))


def _empty_frame(piece: Piece) -> Frame:
    is_heartbeat = piece.digest is None
    return _frame(piece, Chunk(piece.byte_offset, piece.crc32c, piece.data) if is_heartbeat else None)


def _frame(piece: Piece, chunk: Chunk | None) -> Frame:
    return Frame(piece.tensor_index, _header(piece) if piece.is_first else None, chunk, _digest(piece))


def _header(piece: Piece) -> bytes:
    request = piece.plan.request
    return protos.header_to_bytes(request.shape, request.spec.dtype, request.size_bytes)


def _digest(piece: Piece) -> bytes | None:
    return protos.digest_to_proto(piece.digest).SerializeToString() if piece.digest is not None else None
