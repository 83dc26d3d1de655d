"""Small tensors share a message; what is large, or not there yet, has one of its own."""

from typing import Any

import pytest

import seedbed as sb
from seedbed.wire.parts import decode_parts
from seedbed_server.backends.base import Backend
from seedbed_server.streams.messages import SHARED_MESSAGE_BYTES, encode, messages
from tests.samples import sample
from tests.streams import resources_of, run, stream_of


def _messages(cpu: Backend, *specs: sb.TensorSpec, **options: Any) -> list[bytes]:
    async def work() -> list[bytes]:
        with stream_of(resources_of(cpu), *specs, **options) as stream:
            return [message async for message in messages(stream, encode)]

    return run(work)


def _small(count: int, elements: int = 64) -> list[sb.TensorSpec]:
    return [
        sb.TensorSpec(f"w{i}", (elements,), "float32", sb.RandomUniform(seed=i))
        for i in range(count)
    ]


def _indices(message: bytes) -> list[int]:
    return [part.tensor_index for part in decode_parts(message)]


def test_small_tensors_share_messages_and_keep_their_order(cpu: Backend) -> None:
    specs = _small(1000)
    found = _messages(cpu, *specs)
    assert [index for message in found for index in _indices(message)] == list(range(1000))
    # 256 KiB of data, and as much again of headers and digests.
    assert len(found) < 12
    assert max(map(len, found)) < SHARED_MESSAGE_BYTES + 2**12
    parts = [part for message in found for part in decode_parts(message)]
    assert [part.chunk.data for part in parts if part.chunk] == [
        sample(cpu, spec).tobytes() for spec in specs
    ]


def test_the_first_tensor_does_not_wait_for_others(cpu: Backend) -> None:
    assert _indices(_messages(cpu, *_small(100))[0]) == [0]


def test_large_chunks_are_alone_and_every_message_is_below_what_a_stock_client_takes(
    cpu: Backend,
) -> None:
    large = sb.TensorSpec("large", (2**21,), "float32", sb.RandomUniform(seed=1))
    found = _messages(cpu, *_small(20), large, *_small(20), max_chunk_bytes=2**22 - 2**12)
    assert max(map(len, found)) < 2**22
    for message in found:
        if len(message) > SHARED_MESSAGE_BYTES + 2**12:
            assert _indices(message) == [20]


@pytest.mark.parametrize("spec", [sb.Zeros(), sb.Orthogonal(seed=1)], ids=["fill", "whole"])
def test_what_is_computed_elsewhere_shares_messages_too(cpu: Backend, spec: sb.Initializer) -> None:
    specs = [sb.TensorSpec(f"w{i}", (8, 8), "float32", spec) for i in range(60)]
    found = _messages(cpu, *specs, accepts_fill=True)
    assert [index for message in found for index in _indices(message)] == list(range(60))


def test_tensors_without_elements_share_messages(cpu: Backend) -> None:
    specs = [sb.TensorSpec(f"w{i}", (0, 3), "float32", sb.Zeros()) for i in range(500)]
    found = _messages(cpu, *specs)
    assert [index for message in found for index in _indices(message)] == list(range(500))
    assert len(found) < 6
    assert max(map(len, found)) < SHARED_MESSAGE_BYTES + 2**12
