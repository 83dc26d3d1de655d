"""Turns the parts of streams into bytes that can be trusted.

Order, completeness and digests are checked, of each chunk before it is handed out: where a stream
breaks, the next one can begin at that byte.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from seedbed.spec.digests import Digester
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.answers import check_header, lost, name_of
from seedbed.wire.parts import Chunk, Part
from seedbed.wire.protos import digest_from_bytes, header_from_bytes

MapSegment = Callable[[bytes, int], memoryview]

# A constant tensor is written in blocks of this size, which stay in the processor's cache.
FILL_BYTES = 2**18


class Assembler:
    """Checks the parts of SampleTensors calls and hands out their chunks.

    One call is enough where nothing breaks. After one that broke, :attr:`resume_point` says what to
    ask for next, and :meth:`begin_stream` comes before its parts.

    Args:
        requests: what was asked for.
        first_byte: where in the first tensor the first stream begins.
        map_segment: what maps a serialized Segment of a size in bytes; None where the server was
            not told to send any.
    """

    def __init__(
        self,
        requests: Sequence[TensorRequest],
        first_byte: int = 0,
        *,
        map_segment: MapSegment | None = None,
    ) -> None:
        self._requests = requests
        self._map_segment = map_segment
        self.mapped: dict[int, memoryview] = {}
        """The memory of the tensors that came as segments, by their places."""
        self._index = 0
        self._position = first_byte
        self._first_index = 0  # the stream's parts count tensors from here
        self._digester: Digester | None = None

    @property
    def resume_point(self) -> tuple[int, int]:
        """The place of the tensor that is due, and its first byte that is not verified yet.

        The place after the last one if all has come: then there is nothing to resume.
        """
        return self._index, self._position

    def begin_stream(self) -> None:
        """Take the next parts from a further stream.

        It is one of ``requests[index:]``, and begins at that byte of the first of them, as
        :attr:`resume_point` says both. Its parts count tensors from 0 again.
        """
        self._first_index = self._index
        self._digester = None

    def chunks(self, messages: Iterable[Sequence[Part]]) -> Iterator[tuple[int, Chunk]]:
        """Yield the tensor's place and each chunk that is not a heartbeat, of all messages.

        Raises:
            DataLossError: as soon as anything does not fit.
        """
        for parts in messages:
            yield from self.feed(parts)
        self.finish()

    def feed(self, parts: Sequence[Part]) -> Iterator[tuple[int, Chunk]]:
        """Yield the tensor, by place, and chunk of each part of a message; iterate to the end.

        A heartbeat yields nothing.

        Raises:
            DataLossError: if a part does not fit; after the chunk if that is good and the tensor's
                digest is not. What was handed out is good all the same.
        """
        for part in parts:
            yield from self._feed(part)

    def _feed(self, part: Part) -> Iterator[tuple[int, Chunk]]:
        if self._index >= len(self._requests):
            raise lost("the server sent more than was asked for")
        index = self._first_index + part.tensor_index
        if index != self._index:
            raise lost(f"tensor {index} came where tensor {self._index} was due")
        if part.header is not None:
            self._begin(part.header)
        if part.chunk is not None and len(part.chunk.data):
            self._take(part.chunk)
            yield self._index, part.chunk
        if part.fill is not None:
            for chunk in self._repeated(part.fill, part.digest):
                self._position += len(chunk.data)
                yield self._index, chunk
        if part.segment is not None:
            self._map(part.segment)
        elif part.digest is not None:
            self._end(part.digest)

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
            raise lost(
                f"the stream ended inside {self._name()}, after {self._position} bytes of it"
            )

    def _begin(self, header: bytes) -> None:
        if self._digester is not None:
            raise lost(f"a second header came for {self._name()}")
        try:
            message = header_from_bytes(header)
        except ValueError as error:
            raise lost(f"{self._name()} came with {error}") from None
        check_header(self._index, self._requests[self._index], message)
        self._digester = Digester()

    def _take(self, chunk: Chunk) -> None:
        if self._digester is None:
            raise lost(f"bytes of {self._name()} came before its header")
        if chunk.byte_offset != self._position:
            raise lost(
                f"byte {chunk.byte_offset} of {self._name()} came "
                f"where byte {self._position} was due"
            )
        if chunk.byte_offset + len(chunk.data) > self._requests[self._index].size_bytes:
            raise lost(f"{self._name()} is longer than was announced")
        self._digester.update(chunk.data)
        if self._digester.digest().value != chunk.digest:
            raise lost(f"the digest of {self._name()} is wrong at byte {chunk.byte_offset}")
        self._position += len(chunk.data)

    def _repeated(self, element: bytes, digest: bytes | None) -> Iterator[Chunk]:
        """Yield the chunks of a tensor whose elements all equal one, after its digest is right."""
        request = self._requests[self._index]
        if self._digester is None or self._position or not request.size_bytes:
            raise lost(f"{self._name()} came as one element that was not due")
        if len(element) != request.spec.dtype.itemsize:
            raise lost(f"{self._name()} came as elements of {len(element)} bytes")
        block = memoryview(element * min(request.element_count, FILL_BYTES // len(element)))
        begins = range(0, request.size_bytes, len(block))
        for begin in begins:
            self._digester.update(block[: request.size_bytes - begin])
        self._check_digest(digest)
        for begin in begins:
            yield Chunk(begin, b"", block[: request.size_bytes - begin])

    def _map(self, segment: bytes) -> None:
        if self._digester is None or self._position or self._map_segment is None:
            raise lost(f"{self._name()} came as a segment that was not due")
        # No digest: it would be of bytes that never travelled, and that nobody has read.
        size_bytes = self._requests[self._index].size_bytes
        self.mapped[self._index] = self._map_segment(segment, size_bytes)
        self._next()

    def _end(self, digest: bytes) -> None:
        if self._digester is None or self._position != self._requests[self._index].size_bytes:
            raise lost(f"{self._name()} ended after {self._position} bytes")
        self._check_digest(digest)
        self._next()

    def _check_digest(self, sent: bytes | None) -> None:
        """Raise unless a serialized digest is that of the stream's bytes of the tensor."""
        assert self._digester is not None
        try:
            said = digest_from_bytes(sent) if sent is not None else None
        except ValueError:
            said = None
        if said != self._digester.digest():
            raise lost(f"the digest of {self._name()} is wrong")

    def _next(self) -> None:
        self._digester = None
        self._position = 0
        self._index += 1

    def _name(self) -> str:
        return name_of(self._index, self._requests[self._index])
