"""Puts the tensors of streams into memory, each byte read straight to its place."""

from collections.abc import Callable, Sequence
from typing import Protocol

from seedbed.spec.tensors import TensorRequest
from seedbed.transports.assemble import Assembler, MapSegment
from seedbed.wire.parts import Part, decode_beginning, decode_parts

# More than what stands before the data in a message of ours, so that it can be told where they go.
BEGINNING_BYTES = 2**9


class MessageBytes(Protocol):
    """The bytes of messages, read as they come from a connection."""

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes."""

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes."""


class Filler:
    """Puts the tensors of SampleTensors calls into memory.

    Args:
        requests: what was asked for.
        outs: writable memory of exactly each request's size, items of one byte.
        on_bytes: called with the number of new bytes as they are there, and verified.
        map_segment: as for :class:`Assembler`.
    """

    def __init__(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        map_segment: MapSegment | None = None,
    ) -> None:
        self._assembler = Assembler(requests, map_segment=map_segment)
        self._requests = requests
        self._outs = outs
        self._on_bytes = on_bytes
        self.accepts_segments = map_segment is not None
        """Whether tensors may come in shared memory."""

    @property
    def resume_point(self) -> tuple[int, int]:
        """Where a further stream has to begin; see :attr:`Assembler.resume_point`."""
        return self._assembler.resume_point

    @property
    def missing(self) -> tuple[Sequence[TensorRequest], int]:
        """The requests that are not complete, and the first byte of the first one that is due."""
        index, first_byte = self.resume_point
        return self._requests[index:], first_byte

    @property
    def received_bytes(self) -> int:
        """How many verified bytes have come."""
        index, first_byte = self.resume_point
        return sum(request.size_bytes for request in self._requests[:index]) + first_byte

    def begin_stream(self) -> None:
        """Take the next messages from a further stream; see :meth:`Assembler.begin_stream`."""
        self._assembler.begin_stream()

    @property
    def may_end_call(self) -> bool:
        """Whether all tensors have come while the server waits for the client.

        It waits for the end of the call where segments are mapped.
        """
        return self._assembler.is_complete and bool(self._assembler.mapped)

    def feed(self, parts: Sequence[Part]) -> None:
        """Write what the parts of the next message bring, or map it.

        Raises:
            DataLossError: if one does not fit.
        """
        for index, chunk in self._assembler.feed(parts):
            self._outs[index][chunk.byte_offset : chunk.byte_offset + len(chunk.data)] = chunk.data
            self._on_bytes(len(chunk.data))

    def read(self, message: MessageBytes, size_bytes: int) -> None:
        """Read the next message: a chunk's data straight to their place.

        Args:
            message: whose next bytes are the message.
            size_bytes: its size.

        Raises:
            DataLossError: if it does not fit.
            MalformedError: if it is none.
        """
        if size_bytes <= BEGINNING_BYTES:
            self.feed(decode_parts(message.read(size_bytes)))
            return
        beginning = message.read(BEGINNING_BYTES)
        found = decode_beginning(beginning, size_bytes)
        place = self._place(size_bytes - found[1]) if found is not None else None
        if found is None or place is None:
            self.feed(decode_parts(beginning + message.read(size_bytes - len(beginning))))
            return
        part, at = found
        here = len(beginning) - at
        place[:here] = beginning[at:]
        message.read_into(place[here:])
        assert part.chunk is not None
        whole = part._replace(chunk=part.chunk._replace(data=place))
        for _, chunk in self._assembler.feed((whole,)):
            self._on_bytes(len(chunk.data))

    def _place(self, size_bytes: int) -> memoryview | None:
        """Return where the bytes that are due belong; None where there is no room for so many.

        A damaged message may say that its data belong elsewhere: verified bytes are not touched.
        """
        if self._assembler.is_complete or not size_bytes:
            return None
        index, begin = self.resume_point
        place = self._outs[index][begin : begin + size_bytes]
        return place if len(place) == size_bytes else None

    def check_end(self) -> None:
        """Take note of a stream's end.

        Raises:
            DataLossError: if tensors, or parts of one, are missing.
        """
        self._assembler.finish()

    def finish(self) -> list[memoryview]:
        """Return the memory that holds each tensor, when all have come."""
        mapped = self._assembler.mapped
        for memory in mapped.values():
            self._on_bytes(len(memory))
        return [mapped.get(index, out) for index, out in enumerate(self._outs)]
