"""Tensors that are computed whole: large ones delay nobody's small ones, and can be given up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

import seedbed as sb
from seedbed.v1 import tensors_pb2
from tests.floods.connection import Connection, connect
from tests.raw_calls import sample_request, tensor
from tests.servers import ServerProcess
from tests.soak import IS_SOAK, scaled
from tests.waiting import LATE_SECONDS

BIG_PEERS = ("127.0.0.2", "127.0.0.3")
BIG_CALLS = 3
SMALL_ONES = scaled(10, full=100)
MOST_SECONDS = 1.0
# How much a kernel may still compute before it sees that nobody wants its work, of the two minutes
# that all big ones take together; and how long is looked.
GIVE_UP_CORE_SECONDS = 4.0 if IS_SOAK else 20.0
LOOK_SECONDS = 1.0
LEAST_SHARE = 0.05

Kind = tuple[tensors_pb2.TensorRequest, sb.TensorSpec]
"""A big one and a small one; the server takes what has another name for another tensor."""
KINDS: dict[str, Kind] = {
    "orthogonal": (
        tensor((8192, 8192), "orthogonal"),
        sb.TensorSpec("", (100, 200), "float32", sb.Orthogonal(seed=1)),
    ),
    "sparse": (
        tensor((2**26, 4), "sparse", sparsity=0.5),
        sb.TensorSpec("", (100, 200), "float32", sb.Sparse(0.5, seed=1)),
    ),
    "stft": (
        tensor((65_536, 1, 32_769), "stft"),
        sb.TensorSpec("", (128, 1, 65), "float32", sb.STFT()),
    ),
}


@asynccontextmanager
async def big_calls(
    address: str, big: tensors_pb2.TensorRequest
) -> AsyncIterator[list[tuple[Connection, int]]]:
    """Hold calls for big tensors of several peers; yield them with their streams."""
    async with AsyncExitStack() as stack:
        calls = []
        answers = []
        for source in BIG_PEERS:
            connection = await stack.enter_async_context(
                connect(address, source=source, window_bytes=2**30, most_bytes=None)
            )
            for number in range(BIG_CALLS):
                big.spec.name = f"{time.time()}/{source}/{number}"
                request = sample_request(big).SerializeToString()
                stream = connection.open_call("SampleTensors", request)
                calls.append((connection, stream))
                answers.append(connection.answers[stream])
        await asyncio.sleep(1.0)
        assert any(answer.ended is None for answer in answers), answers
        yield calls


def sampled_small_ones(address: str, small: sb.TensorSpec) -> list[float]:
    """Return how long each of several small tensors took."""
    seconds = []
    with sb.connect(address) as client:
        for number in range(SMALL_ONES):
            spec = replace(small, name=str(number))
            started = time.monotonic()
            client.sample(spec)
            seconds.append(time.monotonic() - started)
    return seconds


@pytest.mark.parametrize(("big", "small"), KINDS.values(), ids=KINDS.keys())
def test_big_tensors_delay_no_small_ones_of_others(
    server: ServerProcess, big: tensors_pb2.TensorRequest, small: sb.TensorSpec
) -> None:
    async def sample_beside_big_calls() -> list[float]:
        async with big_calls(server.address, big) as calls:
            seconds = await asyncio.to_thread(sampled_small_ones, server.address, small)
            assert any(stream in connection.answers for connection, stream in calls), "all ended"
        return seconds

    seconds = asyncio.run(sample_beside_big_calls())
    print(f"small ones beside big ones: worst {max(seconds):.3f} s")
    if IS_SOAK:
        assert max(seconds) < MOST_SECONDS


def _busy_share(server: ServerProcess) -> float:
    """Return how many processors a server uses, from a look at it."""
    began, before = time.monotonic(), server.core_seconds
    time.sleep(LOOK_SECONDS)
    return (server.core_seconds - before) / (time.monotonic() - began)


@pytest.mark.parametrize("big", [big for big, _ in KINDS.values()], ids=KINDS.keys())
def test_big_tensors_that_nobody_wants_any_more_are_given_up(
    server: ServerProcess, big: tensors_pb2.TensorRequest
) -> None:
    async def begin_and_reset() -> float:
        async with big_calls(server.address, big) as calls:
            # Others may take most of this machine, and all of it for a while.
            end = time.monotonic() + LATE_SECONDS
            while (busy := _busy_share(server)) < LEAST_SHARE and time.monotonic() < end:
                pass
            for connection, stream in calls:
                if stream in connection.answers:
                    connection.reset(stream)
        return busy

    busy = asyncio.run(begin_and_reset())
    before = after = server.core_seconds
    while (idle := _busy_share(server)) >= busy / 2 and after - before < GIVE_UP_CORE_SECONDS:
        after = server.core_seconds
    print(
        f"{busy:.2f} processors while it was wanted, {idle:.2f} after it was not; "
        f"{after - before:.1f} s more of them"
    )
    assert busy >= LEAST_SHARE
    assert idle < busy / 2
