"""Wherever streams break, and whatever damages them, each byte handed out is right."""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

import seedbed as sb
from seedbed.errors import DataLossError
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.assemble import Assembler
from seedbed.transports.filler import Filler
from seedbed.wire.parts import MalformedError, decode_parts
from seedbed_server.backends.base import Backend
from tests.samples import sample
from tests.streams import all_messages, only_part, resources_of, run, stream_of

SPECS = (
    sb.TensorSpec("normal", (2500,), "float32", sb.RandomNormal(seed=1)),
    sb.TensorSpec("constant", (900,), "float64", sb.Constant(1.5)),
    sb.TensorSpec("empty", (0, 3), "float32", sb.Zeros()),
    sb.TensorSpec("small", (3,), "bfloat16", sb.RandomUniform(seed=2)),
    sb.TensorSpec("matrix", (40, 30), "float32", sb.Orthogonal(seed=3)),
)
REQUESTS = [TensorRequest(spec) for spec in SPECS]
# So many streams break; the next one does not, so that every example ends.
MOST_BREAKS = 12


@pytest.fixture(scope="module")
def expected(cpu: Backend) -> list[bytes]:
    return [sample(cpu, spec).tobytes() for spec in SPECS]


def _messages(
    cpu: Backend, point: tuple[int, int], chance: random.Random, *, breaks: bool
) -> list[bytes]:
    """Return what a server sends from a resume point on; ``breaks`` damages it."""
    index, first_byte = point

    async def work() -> list[bytes]:
        stream = stream_of(
            resources_of(cpu),
            *SPECS[index:],
            first_byte=first_byte,
            max_chunk_bytes=chance.choice([64, 1000, 4096]),
            accepts_fill=not first_byte,
        )
        return await all_messages(stream)

    messages = run(work)
    return _damaged(messages, chance) if breaks else messages


def _damaged(messages: list[bytes], chance: random.Random) -> list[bytes]:
    at = chance.randrange(len(messages))
    match chance.randrange(6):
        case 0:
            return messages[:at]
        case 1:
            return messages[:at] + messages[at + 1 :]
        case 2:
            return [*messages[:at], chance.choice(messages), *messages[at:]]
        case 3:
            cut = messages[at][: chance.randrange(len(messages[at]) + 1)]
            return [*messages[:at], cut, *messages[at + 1 :]]
        case _:
            damaged = bytearray(messages[at])
            # Half of them near the beginning, where all is that is not data.
            end = chance.choice([len(damaged), min(len(damaged), 60)])
            for _ in range(chance.choice([1, 1, 1, 3])):
                damaged[chance.randrange(end)] ^= 1 << chance.randrange(8)
            return [*messages[:at], bytes(damaged), *messages[at + 1 :]]


class _Source:
    """A message whose bytes are read one after another."""

    def __init__(self, message: bytes) -> None:
        self._left = message

    def read(self, size_bytes: int) -> bytes:
        found, self._left = self._left[:size_bytes], self._left[size_bytes:]
        return found

    def read_into(self, memory: memoryview) -> None:
        memory[:] = self.read(len(memory))


def _streams(
    cpu: Backend, checked: Assembler | Filler, chance: random.Random
) -> Iterator[Sequence[bytes]]:
    """Yield the messages of stream after stream, each from where the one before broke."""
    for count in range(MOST_BREAKS + 1):
        if checked.resume_point == (len(SPECS), 0):
            return  # what broke came after all that was wanted
        if count:
            checked.begin_stream()
        yield _messages(cpu, checked.resume_point, chance, breaks=count < MOST_BREAKS)


@pytest.mark.parametrize("seed", range(40))
def test_chunks_of_broken_and_damaged_streams_are_those_of_one_whole(
    cpu: Backend, expected: list[bytes], seed: int
) -> None:
    found = [b""] * len(SPECS)
    assembler = Assembler(REQUESTS)
    for messages in _streams(cpu, assembler, random.Random(seed)):
        try:
            for message in messages:
                for index, chunk in assembler.feed(decode_parts(message)):
                    assert chunk.byte_offset == len(found[index])
                    found[index] += chunk.data
                    assert expected[index].startswith(found[index])
            assembler.finish()
        except (DataLossError, MalformedError):
            continue
        break
    assert found == expected


@pytest.mark.parametrize("seed", range(40))
def test_memory_filled_by_broken_and_damaged_streams_is_that_of_one_whole(
    cpu: Backend, expected: list[bytes], seed: int
) -> None:
    memory = [bytearray(len(content)) for content in expected]
    counts: list[int] = []
    filler = Filler(REQUESTS, [memoryview(each) for each in memory], counts.append)
    for messages in _streams(cpu, filler, random.Random(seed)):
        try:
            for message in messages:
                filler.read(_Source(message), len(message))
            filler.check_end()
        except (DataLossError, MalformedError):
            index, position = filler.resume_point
            assert memory[:index] == expected[:index]
            if index < len(SPECS):
                assert memory[index][:position] == expected[index][:position]
            assert sum(counts) == sum(map(len, expected[:index])) + position
            continue
        break
    assert memory == expected
    assert sum(counts) == sum(map(len, expected))


def test_nothing_is_handed_out_of_a_constant_that_is_damaged(
    cpu: Backend, expected: list[bytes]
) -> None:
    constant = _messages(cpu, (1, 0), random.Random(1), breaks=False)[0]
    assert only_part(constant).fill is not None
    for bit in range(8 * len(constant)):
        handed_out = b""
        damaged = bytearray(constant)
        damaged[bit // 8] ^= 1 << bit % 8
        with suppress(DataLossError, MalformedError):
            parts = decode_parts(bytes(damaged))
            for _, chunk in Assembler(REQUESTS[1:2]).feed(parts):
                handed_out += chunk.data
        assert handed_out in {b"", expected[1]}


def test_a_stream_may_begin_inside_the_first_tensor_and_go_on_at_its_end(
    cpu: Backend, expected: list[bytes]
) -> None:
    """All bytes have come, and only the digest was lost."""
    assembler = Assembler(REQUESTS[:1], 400)
    found = b""
    chance = random.Random(1)

    def first_tensor(point: tuple[int, int]) -> list[bytes]:
        return [m for m in _messages(cpu, point, chance, breaks=False) if _index(m) == 0]

    for message in first_tensor((0, 400)):
        part = only_part(message)._replace(digest=None)
        found += b"".join(bytes(chunk.data) for _, chunk in assembler.feed((part,)))
    with pytest.raises(DataLossError):
        assembler.finish()
    assert assembler.resume_point == (0, len(expected[0]))
    assembler.begin_stream()
    for message in first_tensor(assembler.resume_point):
        assert list(assembler.feed(decode_parts(message))) == []
    assembler.finish()
    assert found == expected[0][400:]


def _index(message: bytes) -> int:
    return only_part(message).tensor_index
