"""Turns the frames of a stream into bytes that can be trusted.

Order, completeness, checksums and digests are checked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from seedbed.errors import DataLossError
from seedbed.spec.digests import Digester
from seedbed.spec.info import NUMERICS
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.chunks import Chunk, Frame, checksum, decode_beginning, decode_frame
from seedbed.wire.protos import digest_from_bytes, header_from_bytes

MapSegment = Callable[[bytes, int], memoryview]

# A constant tensor is written in blocks of this size, which stay in the processor's cache.
FILL_BYTES = 2**18

# More than what stands before the data in a message of ours, so that it can be told where they go.
BEGINNING_BYTES = 2**7


class MessageBytes(Protocol):
    """The bytes of messages, read as they come from a connection."""

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes."""

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes."""


class Assembler:
    """Checks the frames of one SampleTensors call and hands out their chunks.

    Args:
        requests: what was asked for.
        first_byte: where in the first tensor the stream begins.
        has_checksums: whether each chunk is checked before it is handed out. Without, bytes are
            good when the digest of their tensor has been compared, and not before.
        map_segment: what maps a serialized Segment of a size in bytes; None where the server was
            not told to send any.
    """

    def __init__(
        self,
        requests: Sequence[TensorRequest],
        first_byte: int = 0,
        *,
        has_checksums: bool = True,
        map_segment: MapSegment | None = None,
    ) -> None:
        self._requests = requests
        self._has_checksums = has_checksums
        self._map_segment = map_segment
        self.mapped: dict[int, memoryview] = {}
        """The memory of the tensors that came as segments, by their places."""
        self._position = first_byte
        self._index = 0
        self._digester: Digester | None = None

    def chunks(self, frames: Iterable[Frame]) -> Iterator[tuple[int, Chunk]]:
        """Yield the tensor's place and each chunk that is not a heartbeat, of all frames.

        Raises:
            DataLossError: as soon as anything does not fit.
        """
        for frame in frames:
            yield from self.feed(frame)
        self.finish()

    def feed(self, frame: Frame) -> Iterator[tuple[int, Chunk]]:
        """Yield the next frame's tensor, by place, and chunk; iterate to the end.

        A heartbeat yields nothing.

        Raises:
            DataLossError: if the frame does not fit; after the chunk if that is good and the
                tensor's digest is not.
        """
        if self._index >= len(self._requests):
            raise _lost("the server sent more than was asked for")
        if frame.tensor_index != self._index:
            raise _lost(f"tensor {frame.tensor_index} came where tensor {self._index} was due")
        if frame.header is not None:
            self._begin(frame.header)
        if frame.chunk is not None and len(frame.chunk.data):
            self._take(frame.chunk)
            yield self._index, frame.chunk
        if frame.fill is not None:
            for chunk in self._repeated(frame.fill):
                self._take(chunk)
                yield self._index, chunk
        if frame.segment is not None:
            self._map(frame.segment)
        if frame.digest is not None:
            self._end(frame.digest)
        # Its digest would be of bytes that never travelled, and is not asked for.
        elif frame.segment is not None:
            self._next()

    @property
    def is_complete(self) -> bool:
        """Whether all tensors have come."""
        return self._index == len(self._requests)

    def finish(self) -> None:
        """Take note of the stream's end.

        Raises:
            DataLossError: if tensors, or parts of one, are missing.
        """
        if self._index < len(self._requests):
            raise _lost(
                f"the stream ended inside {self._name()}, after {self._position} bytes of it"
            )

    def _begin(self, header: bytes) -> None:
        if self._digester is not None:
            raise _lost(f"a second header came for {self._name()}")
        request = self._requests[self._index]
        try:
            announced = header_from_bytes(header)
        except ValueError as error:
            raise _lost(f"{self._name()} came with {error}") from None
        expected = (request.shape, request.spec.dtype, request.size_bytes, NUMERICS)
        if announced != expected:
            raise _lost(f"{self._name()} came as {announced}, {expected} was asked for")
        self._digester = Digester()

    def _take(self, chunk: Chunk) -> None:
        if self._digester is None:
            raise _lost(f"bytes of {self._name()} came before its header")
        if chunk.byte_offset != self._position:
            raise _lost(
                f"byte {chunk.byte_offset} of {self._name()} came "
                f"where byte {self._position} was due"
            )
        if chunk.byte_offset + len(chunk.data) > self._requests[self._index].size_bytes:
            raise _lost(f"{self._name()} is longer than was announced")
        if self._has_checksums and not chunk.is_intact():
            raise _lost(f"the checksum is wrong at byte {chunk.byte_offset} of {self._name()}")
        self._digester.update(chunk.data)
        self._position += len(chunk.data)

    def _repeated(self, element: bytes) -> Iterator[Chunk]:
        """Yield the chunks of a tensor whose elements all equal one."""
        request = self._requests[self._index]
        if len(element) != request.spec.dtype.itemsize:
            raise _lost(f"{self._name()} came as elements of {len(element)} bytes")
        data = memoryview(element * min(request.element_count, FILL_BYTES // len(element)))
        crc32c = checksum(data)
        for begin in range(0, request.size_bytes, len(data)):
            last = request.size_bytes - begin
            yield (
                Chunk(begin, crc32c, data)
                if last >= len(data)
                else Chunk(begin, checksum(data[:last]), data[:last])
            )

    def _map(self, segment: bytes) -> None:
        if self._digester is None or self._position or self._map_segment is None:
            raise _lost(f"{self._name()} came as a segment that was not due")
        size_bytes = self._requests[self._index].size_bytes
        self.mapped[self._index] = self._map_segment(segment, size_bytes)
        self._position = size_bytes

    def _end(self, sent: bytes) -> None:
        if self._digester is None or self._position != self._requests[self._index].size_bytes:
            raise _lost(f"{self._name()} ended after {self._position} bytes")
        # Mapped bytes never travelled, and are not read here: who maps them does so when they are
        # used.
        digest = None if self._index in self.mapped else self._digester.digest()
        try:
            said = digest_from_bytes(sent)
        except ValueError:
            said = None
        # That of a stream that began inside the tensor is of the rest.
        is_right = (
            said == digest
            if digest is not None
            else said is not None and said.size_bytes == self._position
        )
        if not is_right:
            raise _lost(f"the digest of {self._name()} is wrong")
        self._next()

    def _next(self) -> None:
        self._digester = None
        self._position = 0
        self._index += 1

    def _name(self) -> str:
        name = self._requests[self._index].spec.name
        return f"tensor {self._index} ({name!r})" if name else f"tensor {self._index}"


class Filler:
    """Puts the tensors of one SampleTensors call without checksums into memory.

    Args:
        requests: what was asked for.
        outs: writable memory of exactly each request's size, items of one byte.
        on_bytes: called with the number of new bytes as they are there.
        map_segment: as for :class:`Assembler`.
    """

    def __init__(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        map_segment: MapSegment | None = None,
    ) -> None:
        self._assembler = Assembler(requests, has_checksums=False, map_segment=map_segment)
        self._outs = outs
        self._on_bytes = on_bytes

    @property
    def may_end_call(self) -> bool:
        """Whether all tensors have come while the server waits for the client.

        It waits for the end of the call where segments are mapped.
        """
        return self._assembler.is_complete and bool(self._assembler.mapped)

    def feed(self, frame: Frame) -> None:
        """Write what the next frame brings, or map it.

        Raises:
            DataLossError: if the frame does not fit.
        """
        for index, chunk in self._assembler.feed(frame):
            self._outs[index][chunk.byte_offset : chunk.byte_offset + len(chunk.data)] = chunk.data
            self._on_bytes(len(chunk.data))

    def read(self, message: MessageBytes, size_bytes: int) -> None:
        """Read the next message: a chunk's data straight to their place.

        Args:
            message: whose next bytes are the message.
            size_bytes: its size.

        Raises:
            DataLossError: if it does not fit.
            FrameError: if it is none.
        """
        beginning = message.read(min(size_bytes, BEGINNING_BYTES))
        found = decode_beginning(beginning, size_bytes)
        place = self._place(found[0], size_bytes - found[1]) if found is not None else None
        if found is None or place is None:
            self.feed(decode_frame(beginning + message.read(size_bytes - len(beginning))))
            return
        frame, at = found
        here = len(beginning) - at
        place[:here] = beginning[at:]
        message.read_into(place[here:])
        assert frame.chunk is not None
        for _, chunk in self._assembler.feed(
            frame._replace(chunk=frame.chunk._replace(data=place))
        ):
            self._on_bytes(len(chunk.data))

    def _place(self, frame: Frame, size_bytes: int) -> memoryview | None:
        """Return where a frame's data belong, or None if there is no such place, or no data."""
        if frame.tensor_index >= len(self._outs) or frame.chunk is None or not size_bytes:
            return None
        begin = frame.chunk.byte_offset
        place = self._outs[frame.tensor_index][begin : begin + size_bytes]
        return place if len(place) == size_bytes else None

    def finish(self) -> list[memoryview]:
        """Return the memory that holds each tensor, at the end of the stream.

        Raises:
            DataLossError: if tensors, or parts of one, are missing.
        """
        self._assembler.finish()
        mapped = self._assembler.mapped
        for memory in mapped.values():
            self._on_bytes(len(memory))
        return [mapped.get(index, out) for index, out in enumerate(self._outs)]


def _lost(what: str) -> DataLossError:
    return DataLossError(
        f"{what}; fetch it again, and if that repeats, "
        "look at the network between here and the server"
    )
