"""A message's beginning tells of its chunk what the whole does, and data land in place."""

import itertools
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import seedbed as sb
from seedbed.errors import DataLossError
from seedbed.spec.digests import digest_bytes
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.filler import BEGINNING_BYTES, Filler
from seedbed.v1 import streams_pb2
from seedbed.wire.parts import (
    Chunk,
    MalformedError,
    Part,
    decode_beginning,
    decode_parts,
    encode_part,
)
from seedbed.wire.protos import digest_to_proto, header_to_bytes
from tests.unknown_fields import INT64, UNKNOWN_FIELDS, field_of

BYTES = st.none() | st.binary(max_size=40)
DATA = st.binary(max_size=200) | st.sampled_from([bytes(127), bytes(128), bytes(300)])
CHUNKS = st.builds(Chunk, INT64, st.binary(max_size=32), DATA.map(memoryview))
NONE = st.none()
PARTS = st.one_of(
    st.builds(Part, INT64, BYTES, NONE | CHUNKS, BYTES, NONE, NONE),
    st.builds(Part, INT64, BYTES, NONE, BYTES, st.binary(max_size=8), NONE),
    st.builds(Part, INT64, BYTES, NONE, BYTES, NONE, st.binary(max_size=40)),
)

UNKNOWN = UNKNOWN_FIELDS.map(b"".join)


# Inside a long field that nobody knows, one cut is like another.
EDGE_BYTES = 700


def _cuts(message: bytes) -> list[int]:
    """Return where to cut a message: anywhere, but in the middle of a long one."""
    size = len(message)
    return [count for count in range(size + 1) if min(count, size - count) <= EDGE_BYTES]


def _judge(message: bytes, count: int) -> bool:
    """Compare what the first bytes tell with the whole, and return whether they tell anything."""
    found = decode_beginning(message[:count], len(message))
    if found is None:
        return False
    part, at = found
    (whole,) = decode_parts(message)
    assert at <= count
    assert part.chunk is not None
    assert whole.chunk is not None
    assert whole.chunk.data == message[at:]
    assert part._replace(chunk=part.chunk._replace(data=whole.chunk.data)) == whole
    return True


@settings(max_examples=200)
@given(PARTS)
def test_a_beginning_says_what_the_whole_says(part: Part) -> None:
    message = encode_part(part)
    said = [_judge(message, count) for count in range(len(message) + 1)]
    if part.chunk is not None and len(part.chunk.data):
        # From where the data begin on, every beginning says it; no shorter one does.
        at = len(message) - len(part.chunk.data)
        assert said == [False] * at + [True] * (len(message) + 1 - at)
    else:
        assert not any(said)


@settings(max_examples=150)
@given(PARTS, UNKNOWN, UNKNOWN)
def test_fields_of_a_later_version_around_a_chunk_change_nothing(
    part: Part, before: bytes, after: bytes
) -> None:
    message = before + encode_part(part) + after
    said = [_judge(message, count) for count in _cuts(message)]
    if before or after:
        assert not any(said)


@settings(max_examples=150)
@given(CHUNKS, UNKNOWN, UNKNOWN)
def test_fields_of_a_later_version_inside_a_chunk_change_nothing(
    chunk: Chunk, before: bytes, after: bytes
) -> None:
    plain = streams_pb2.Chunk(
        byte_offset=chunk.byte_offset, digest=chunk.digest, data=bytes(chunk.data)
    )
    inner = before + plain.SerializeToString() + after
    message = field_of(1, field_of(4, inner))
    said = [_judge(message, count) for count in _cuts(message)]
    assert any(said) == (len(chunk.data) > 0 and not after)


@settings(max_examples=100)
@given(PARTS, PARTS)
def test_the_beginning_of_several_parts_says_nothing(first: Part, second: Part) -> None:
    """Their data do not all belong at one place."""
    message = encode_part(first) + encode_part(second)
    assert not any(_judge(message, count) for count in range(len(message) + 1))


@settings(max_examples=400)
@given(st.data(), PARTS, st.integers(0, 2**32))
def test_the_beginning_of_damaged_bytes_says_nothing_that_the_whole_does_not_say(
    data: st.DataObject, part: Part, seed: int
) -> None:
    message = bytearray(encode_part(part))
    draws = random.Random(seed)
    for _ in range(draws.randint(1, 3)):
        message[draws.randrange(min(len(message), 60))] = draws.randrange(256)
    for count in range(len(message) + 1):
        _judge(bytes(message), count)
    decode_beginning(bytes(message), data.draw(st.integers(0, 2**70)))


@settings(max_examples=400)
@given(st.binary(max_size=40), st.integers(0, 300))
@example(b"\x0a" + b"\xff" * 9 + b"\x7f\x22\x03\x1a\x01a", 20)
@example(b"\x0a\x07\x22\x05\x1a\x03", 3)
@example(b"\x00\x0a\x07\x22\x05\x1a\x03abc", 0)
def test_any_bytes_are_a_beginning_or_none_and_nothing_else(beginning: bytes, more: int) -> None:
    decode_beginning(beginning, len(beginning) + more)
    _judge(beginning, len(beginning))


# Reading to the place where data belong.

SHAPES = (150, 70)
REQUESTS = [TensorRequest(sb.TensorSpec(f"w{n}", (n,), "float32", sb.Zeros())) for n in SHAPES]
CONTENTS = [np.random.default_rng(n).bytes(4 * n) for n in SHAPES]


class _Bytes:
    """A message whose bytes are read one after another."""

    def __init__(self, message: bytes) -> None:
        self.left = message

    def read(self, size_bytes: int) -> bytes:
        found, self.left = self.left[:size_bytes], self.left[size_bytes:]
        assert len(found) == size_bytes
        return found

    def read_into(self, memory: memoryview) -> None:
        memory[:] = self.read(len(memory))


def _header(index: int) -> bytes:
    return header_to_bytes(REQUESTS[index])


def _honest(cuts: list[int]) -> list[Part]:
    """Return the parts of both tensors; the first is cut into pieces."""
    parts = []
    for index, content in enumerate(CONTENTS):
        bounds = [0, *(cuts if index == 0 else ()), len(content)]
        for begin, end in itertools.pairwise(bounds):
            data = content[begin:end]
            chunk = Chunk(begin, digest_bytes(content[:end]).value, memoryview(data))
            digest = (
                digest_to_proto(digest_bytes(content)).SerializeToString()
                if end == len(content)
                else None
            )
            parts.append(Part(index, _header(index) if begin == 0 else None, chunk, digest))
    return parts


class _Outcome:
    """What became of the same messages, fed or read."""

    def __init__(self, messages: list[bytes], give: Callable[[Filler, bytes], None]) -> None:
        self.memory = [bytearray(4 * size) for size in SHAPES]
        self.counts: list[int] = []
        self.error: tuple[type[Exception], str] | None = None
        filler = Filler(REQUESTS, [memoryview(each) for each in self.memory], self.counts.append)
        try:
            for message in messages:
                give(filler, message)
            filler.check_end()
        except (DataLossError, MalformedError) as error:
            self.error = (type(error), str(error) if isinstance(error, DataLossError) else "")


def _fed(messages: list[bytes]) -> _Outcome:
    return _Outcome(messages, lambda filler, message: filler.feed(decode_parts(message)))


def _read(messages: list[bytes]) -> _Outcome:
    def read(filler: Filler, message: bytes) -> None:
        source = _Bytes(message)
        filler.read(source, len(message))
        assert not source.left

    return _Outcome(messages, read)


def _compare(messages: list[bytes]) -> _Outcome:
    fed, read = _fed(messages), _read(messages)
    assert read.error == fed.error
    assert read.counts == fed.counts
    if fed.error is None:
        assert read.memory == fed.memory
    return read


CUTS = st.lists(st.integers(1, 599), max_size=4, unique=True).map(sorted)


@settings(max_examples=60)
@given(CUTS, UNKNOWN)
def test_what_is_read_is_what_would_be_fed(cuts: list[int], before: bytes) -> None:
    outcome = _compare([before + encode_part(part) for part in _honest(cuts)])
    assert outcome.error is None
    assert [bytes(each) for each in outcome.memory] == CONTENTS


@settings(max_examples=60)
@given(st.data(), CUTS)
def test_parts_that_do_not_fit_are_the_same_errors(data: st.DataObject, cuts: list[int]) -> None:
    """Parts are left out, sent twice or out of order, or say something else."""
    parts = _honest(cuts)
    order = data.draw(st.lists(st.integers(0, len(parts) - 1), max_size=6))
    changed = [parts[index] for index in order]
    if changed:
        at = data.draw(st.integers(0, len(changed) - 1))
        part = changed[at]
        assert part.chunk is not None
        other: list[Part] = [
            part._replace(tensor_index=data.draw(INT64)),
            part._replace(header=None),
            part._replace(digest=None),
            part._replace(digest=b"\xff"),
            part._replace(chunk=None),
            part._replace(chunk=part.chunk._replace(byte_offset=data.draw(INT64))),
            part._replace(
                chunk=part.chunk._replace(data=memoryview(bytes(part.chunk.data) + b"x"))
            ),
            part._replace(chunk=part.chunk._replace(data=part.chunk.data[:-1])),
            part._replace(chunk=part.chunk._replace(data=part.chunk.data[:0])),
            part,
        ]
        changed[at] = data.draw(st.sampled_from(other))
    _compare([encode_part(part) for part in changed])


@settings(max_examples=200)
@given(CUTS, st.integers(0, 2**32))
def test_damaged_messages_are_the_same_errors(cuts: list[int], seed: int) -> None:
    messages = [bytearray(encode_part(part)) for part in _honest(cuts)]
    draws = random.Random(seed)
    damaged = draws.choice(messages)
    for _ in range(draws.randint(1, 3)):
        damaged[draws.randrange(min(len(damaged), 80))] = draws.randrange(256)
    _compare([bytes(each) for each in messages])


@pytest.mark.parametrize(
    "size", [1, 4, BEGINNING_BYTES - 1, BEGINNING_BYTES, BEGINNING_BYTES + 1, 599]
)
def test_pieces_of_any_size_are_read(size: int) -> None:
    """Those that are in the beginning as a whole as well."""
    outcome = _compare([encode_part(part) for part in _honest([size])])
    assert outcome.error is None
    assert [bytes(each) for each in outcome.memory] == CONTENTS


def test_a_header_longer_than_a_beginning_is_read() -> None:
    """Its tensor's data are then not read straight to their place, and come all the same."""
    parts = _honest([])
    padded = (parts[0].header or b"") + field_of(99, bytes(BEGINNING_BYTES))
    outcome = _compare([encode_part(parts[0]._replace(header=padded)), encode_part(parts[1])])
    assert outcome.error is None
    assert [bytes(each) for each in outcome.memory] == CONTENTS


def test_data_are_read_to_their_place_and_nowhere_else() -> None:
    """All but what came with the beginning is asked for as memory."""
    asked: list[int] = []

    class Source(_Bytes):
        def read_into(self, memory: memoryview) -> None:
            asked.append(len(memory))
            super().read_into(memory)

    memory = [bytearray(4 * size) for size in SHAPES]
    filler = Filler(REQUESTS, [memoryview(each) for each in memory], lambda _: None)
    message = encode_part(_honest([])[0])
    filler.read(Source(message), len(message))
    assert asked == [len(message) - BEGINNING_BYTES]
    assert bytes(memory[0]) == CONTENTS[0]
