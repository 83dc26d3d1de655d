"""Streams over the GPU backend on a fake device: right bits, and no leftovers."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from seedbed.spec.dtypes import FLOATING
from seedbed.spec.errors import DeviceError
from seedbed.spec.initializers import InitializerSpec, RandomNormalSpec, RandomUniformSpec
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.stream import TensorStream
from tests.contract.backend_suite import bits
from tests.fake_device import Call, FakeDevice, uses
from tests.samples import sample
from tests.streams import Reader, all_messages, only_part, resources_of, stream_of, until

SLAB_BYTES = 4096
SLOTS = 3
RANDOM: list[InitializerSpec] = [RandomUniformSpec(-1.0, 3.0), RandomNormalSpec(0.1, 2.0)]

STREAMED = [
    TensorSpec(f"streamed {i}", (30_000,), dtype, RANDOM[i % 2], seed=i)
    for i, dtype in enumerate(FLOATING)
]

Work = Callable[[FakeDevice, GpuBackend, StreamResources], Coroutine[Any, Any, None]]


async def assert_soon_idle(device: FakeDevice, backend: GpuBackend) -> None:
    """Wait until the threads have done what they had begun, and nothing is left over."""
    await until(lambda: not uses(device, backend))
    assert device.violations == []


def streamed(resources: StreamResources) -> TensorStream:
    """Return a stream of some tensors whose chunks have several slabs."""
    return stream_of(resources, *STREAMED, max_chunk_bytes=3 * SLAB_BYTES + 8)


def content(messages: list[bytes]) -> bytes:
    """Return all bytes of a stream."""
    chunks = [only_part(message).chunk for message in messages]
    return b"".join(bytes(chunk.data) for chunk in chunks if chunk is not None)


@pytest.fixture
def right(cpu: CpuBackend) -> bytes:
    """What the tensors hold."""
    return b"".join(bits(sample(cpu, spec)).tobytes() for spec in STREAMED)


def run(work: Work) -> None:
    """Do something on a device that works at any moment."""

    async def within() -> None:
        device = FakeDevice(4)
        backend = GpuBackend(device, CpuBackend(threads=1), slots=SLOTS, slab_bytes=SLAB_BYTES)
        resources = resources_of(backend)
        try:
            await work(device, backend, resources)
        finally:
            resources.threads.close()

    asyncio.run(within())


def test_streams_that_are_read_to_the_end_have_the_right_bits(right: bytes) -> None:
    async def work(device: FakeDevice, backend: GpuBackend, resources: StreamResources) -> None:
        all_of_them = await asyncio.gather(*[all_messages(streamed(resources)) for _ in range(3)])
        assert [content(messages) for messages in all_of_them] == [right] * 3
        await assert_soon_idle(device, backend)

    run(work)


@pytest.mark.parametrize("messages_read", [1, 2, 9])
def test_a_stream_that_is_left_midway_leaves_nothing_over(right: bytes, messages_read: int) -> None:
    async def work(device: FakeDevice, backend: GpuBackend, resources: StreamResources) -> None:
        reader = Reader(streamed(resources))
        await reader.read(messages_read)
        reader.leave()
        await assert_soon_idle(device, backend)
        assert content(await all_messages(streamed(resources))) == right
        await assert_soon_idle(device, backend)

    run(work)


def test_a_task_that_is_cancelled_midway_leaves_nothing_over(right: bytes) -> None:
    async def work(device: FakeDevice, backend: GpuBackend, resources: StreamResources) -> None:
        for turns in range(1, 40, 3):
            reading = asyncio.create_task(all_messages(streamed(resources)))
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait((reading,))
        await assert_soon_idle(device, backend)
        assert content(await all_messages(streamed(resources))) == right

    run(work)


@pytest.mark.parametrize("call", ["launch", "copy", "record", "wait"])
def test_a_stream_whose_device_fails_midway_says_so_and_leaves_nothing_over(
    right: bytes, call: Call
) -> None:
    async def work(device: FakeDevice, backend: GpuBackend, resources: StreamResources) -> None:
        device.fail(call, 20)
        with pytest.raises(DeviceError):
            await all_messages(streamed(resources))
        await assert_soon_idle(device, backend)
        assert content(await all_messages(streamed(resources))) == right
        await assert_soon_idle(device, backend)

    run(work)
