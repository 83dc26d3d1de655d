"""The messages of one SampleTensors call: what a stream samples, in the form that its client understands best.

A tensor comes as chunks, sampled straight into the messages that carry them. For a client that
accepts it, a constant tensor comes as one element, and a large one as a segment in shared memory;
these two have a single message, the last.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedbed.wire import protos
from seedbed.wire.chunks import Chunk, Draft, Frame, encode_frame
from seedbed_server.backends.rules import Fill
from seedbed_server.refusals import OverloadedError
from seedbed_server.sampling.sampler import SamplePlan
from seedbed_server.streams.segment import MIN_SEGMENT_BYTES
from seedbed_server.streams.segment_folder import Lease, SegmentFolder
from seedbed_server.streams.shared_chunks import Buffer
from seedbed_server.streams.stream import NOTHING, Piece, Placement, ReusedMemory

Lane = Literal["stream", "fill", "shared_memory", "unary"]
"""How a tensor goes to its client: as chunks, as one element that all equal, in shared memory, or in one message."""

# Sampled at a time into a segment's own memory; smaller pieces stay in the cache, where nobody
# needs them.
IN_PLACE_BYTES = 2**22

# How long a client may take to open a segment after the last message.
SEGMENT_LINGER_SECONDS = 60.0
FULL_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Absorbed:
    """A piece that goes into no message of its own."""

    data: NDArray[np.uint8]
    piece: Piece
    reused: Buffer | None
    """The memory that the data lies in; None where that is the segment itself."""


@dataclass(slots=True)
class _Place:
    """Where a tensor goes that its client maps."""

    lease: Lease
    is_ours: bool
    """Whether this call fills it."""
    seen_pulse: int = -1
    """The segment's pulse when the client was last told to wait."""


class Messages:
    """Where the pieces of a call are sampled to, and what is sent of them.

    Args:
        accepts_fill: whether the client understands a constant as one element.
        segments: where to put large tensors, if the client can map them.
        locks_segments: whether the client holds a lock on what it maps.
        omit_segment_digests: whether the client does without the digest of what it maps.
    """

    def __init__(
        self,
        *,
        accepts_fill: bool = False,
        segments: SegmentFolder | None = None,
        locks_segments: bool = False,
        omit_segment_digests: bool = False,
    ) -> None:
        self._accepts_fill = accepts_fill
        self._folder = segments
        self._locks_segments = locks_segments
        self._omit_segment_digests = omit_segment_digests
        self._reused = ReusedMemory()
        self._places: dict[int, _Place | None] = {}
        self._header_due: set[int] = set()

    @property
    def has_segments(self) -> bool:
        """Whether the client has files to open."""
        return any(self._places.values())

    def place(self, tensor_index: int, plan: SamplePlan) -> Placement:
        """Return how a tensor is put into memory: into messages, into a segment, or by another call into a segment."""
        lane = self.lane(tensor_index, plan)
        if lane == "stream":
            return Placement(is_shared=True)
        place = self._places.get(tensor_index)
        if lane == "fill" or place is None:
            return Placement()
        segment = place.lease.segment
        if not place.is_ours:
            return Placement(given=segment.awaited())
        largest = IN_PLACE_BYTES if segment.is_mapped else None
        return Placement(has_digest=not self._omit_segment_digests, max_piece_bytes=largest)

    def lane(self, tensor_index: int, plan: SamplePlan) -> Lane:
        """Return how a tensor goes to the client."""
        if self._is_fill(plan):
            return "fill"
        return "stream" if self._place(tensor_index, plan) is None else "shared_memory"

    def take(self, piece: Piece, size_bytes: int) -> Buffer:
        """Return the draft of the piece's message, or memory for what is not sent as a chunk."""
        lane = self.lane(piece.tensor_index, piece.plan)
        if lane == "stream":
            return Draft(_draft_of(piece), size_bytes)
        if lane == "shared_memory" and (place := self._places[piece.tensor_index]) is not None:
            memory = place.lease.segment.memory(piece.byte_offset, size_bytes)
            if memory is not None:
                return _Absorbed(memory, piece, None)
        reused = self._reused.take(piece, size_bytes)
        return _Absorbed(reused.data, piece, reused)

    def filled(self, buffer: Buffer) -> None:
        """Write what was sampled for a segment to its place.

        Raises:
            OverloadedError: if shared memory is full.
        """
        if (
            not isinstance(buffer, _Absorbed)
            or (place := self._places.get(buffer.piece.tensor_index)) is None
        ):
            return
        segment = place.lease.segment
        segment.pulse += 1
        if buffer.reused is None:
            return
        try:
            segment.write(buffer.piece.byte_offset, buffer.data)
        except OSError:
            message = "the server's shared memory is full; ask without accepts_segments"
            reason = "SHARED_MEMORY_FULL"
            raise OverloadedError(
                message, reason=reason, retry_after_seconds=FULL_RETRY_SECONDS
            ) from None

    def give_back(self, buffer: Buffer) -> None:
        """Keep memory of what was not sent for a later piece; a draft's belongs to its message."""
        if isinstance(buffer, _Absorbed) and buffer.reused is not None:
            self._reused.give_back(buffer.reused)

    def encode(self, piece: Piece) -> bytes | None:
        """Return the piece's message, or None if it has none.

        Raises:
            OverloadedError: if another call was to fill a segment, and does not go on.
        """
        if isinstance(piece.buffer, Draft):
            return piece.buffer.encode(_draft_of(piece))
        if self.lane(piece.tensor_index, piece.plan) == "stream":
            return encode_frame(
                _frame(piece, None if piece.is_last and not piece.data else _chunk(piece))
            )
        if piece.buffer is None and not piece.is_last:  # a sign of life
            if (place := self._places.get(piece.tensor_index)) is not None:
                _check_pulse(place)
            return encode_frame(_frame(piece, _chunk(piece)))
        if piece.is_first:
            self._header_due.add(piece.tensor_index)
        return self._whole(piece) if piece.is_last else None

    def size_of(self, piece: Piece) -> int:
        """Return how many bytes of its tensor the client has by a piece."""
        return piece.plan.size_bytes if piece.is_last and self._is_given(piece) else len(piece.data)

    def close(self) -> None:
        """Give the segments back; what a client has mapped stays with it."""
        places, self._places = self._places, {}
        for place in places.values():
            if place is None or self._folder is None:
                continue
            if place.is_ours and not place.lease.segment.content.done():
                place.lease.segment.abandon()
            self._folder.give_back(place.lease)

    def _is_given(self, piece: Piece) -> bool:
        """Return whether another call puts a piece's tensor into a segment."""
        place = self._places.get(piece.tensor_index)
        return place is not None and not place.is_ours

    def _is_fill(self, plan: SamplePlan) -> bool:
        return self._accepts_fill and isinstance(plan.rule, Fill)

    def _place(self, tensor_index: int, plan: SamplePlan) -> _Place | None:
        if self._folder is None or plan.size_bytes < MIN_SEGMENT_BYTES:
            return None
        if tensor_index not in self._places:
            content = (
                f"{plan.request!r} {self._omit_segment_digests}" if self._locks_segments else None
            )
            found = self._folder.lease(plan.size_bytes, content)
            self._places[tensor_index] = None if found is None else _Place(*found)
        return self._places[tensor_index]

    def _whole(self, piece: Piece) -> bytes:
        """Return the one message of a tensor that has no chunks."""
        index = piece.tensor_index
        header = _header(piece) if index in self._header_due else None
        place = None if self._is_fill(piece.plan) else self._places[index]
        if place is None or self._folder is None:
            fill, where = bytes(piece.data[: piece.plan.dtype.itemsize]), None
        else:
            segment = place.lease.segment
            if place.is_ours:
                segment.publish(piece.digest)
            path = self._folder.path_of(segment)
            fill, where = (
                None,
                protos.segment_to_bytes(str(self._folder.directory), path, segment.size_bytes),
            )
        return encode_frame(Frame(index, header, None, _digest(piece), fill, where))


def _check_pulse(place: _Place) -> None:
    """Raise if another call fills a segment, and has not got on since the last sign of life; if we do, give one."""
    segment = place.lease.segment
    if place.is_ours:
        segment.pulse += 1
    elif segment.pulse == place.seen_pulse:
        message = "another client's call puts the tensor into shared memory, and does not go on; ask without it"
        reason = "SEGMENT_STALLED"
        raise OverloadedError(message, reason=reason, retry_after_seconds=FULL_RETRY_SECONDS)
    else:
        place.seen_pulse = segment.pulse


def _draft_of(piece: Piece) -> Frame:
    """Return the frame of a piece without its data, which lies in the draft."""
    return _frame(piece, Chunk(piece.byte_offset, piece.crc32c, NOTHING.data))


def _chunk(piece: Piece) -> Chunk:
    return Chunk(piece.byte_offset, piece.crc32c, piece.data)


def _frame(piece: Piece, chunk: Chunk | None) -> Frame:
    return Frame(
        piece.tensor_index, _header(piece) if piece.is_first else None, chunk, _digest(piece)
    )


def _header(piece: Piece) -> bytes:
    request = piece.plan.request
    return protos.header_to_bytes(request.shape, request.spec.dtype, request.size_bytes)


def _digest(piece: Piece) -> bytes | None:
    return (
        protos.digest_to_proto(piece.digest).SerializeToString()
        if piece.digest is not None
        else None
    )
