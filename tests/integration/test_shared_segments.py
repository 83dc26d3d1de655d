"""Ranks that want the same share a segment; memory that nobody maps is used again."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.digests import digest_bytes
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.protos import tensor_request_to_proto
from tests.mappings import mapping_of
from tests.raw_calls import sample_request, stub
from tests.servers import ServerProcess, serving
from tests.waiting import wait_until

SHAPE = (1000, 1100)
MODEL = sb.Manifest(
    [sb.TensorSpec(f"layer{i}", SHAPE, "float32", sb.GlorotNormal(), seed=1) for i in range(6)]
)
MATRIX = sb.TensorSpec("matrix", (700, 700), "float32", sb.Orthogonal(), seed=1)


def spec(name: str, rows: int = SHAPE[0]) -> sb.TensorSpec:
    return sb.TensorSpec(name, (rows, SHAPE[1]), "float32", sb.RandomUniform(), seed=1)


def embedded(tensor: sb.TensorSpec) -> bytes:
    return sb.connect("embedded:").sample(tensor).tobytes()


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    folder = tmp_path / "shm"
    folder.mkdir()
    return folder


@pytest.fixture
def server(tmp_path: Path, memory: Path) -> Iterator[ServerProcess]:
    arguments = ("--shared-memory-dir", str(memory), "--admin-listen", "127.0.0.1:0")
    with serving(*arguments, listen=f"unix://{tmp_path}/s.sock") as process:
        yield process


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address.replace("unix://", "unix:")) as channel:
        yield channel


def inode_of(array: NDArray[Any]) -> int:
    """Return the number of the file that an array lies in; 0 is none."""
    return mapping_of(array)[0]


def test_ranks_that_fetch_a_model_at_the_same_time_share_its_memory(server: ServerProcess) -> None:
    together = threading.Barrier(4)

    def rank(_: int) -> dict[str, NDArray[Any]]:
        with sb.connect(server.address) as client:
            together.wait()
            return client.sample_all(MODEL)

    with ThreadPoolExecutor(4) as threads:
        models = list(threads.map(rank, range(4)))
    for tensor in MODEL.tensors:
        assert {model[tensor.name].tobytes() for model in models} == {embedded(tensor)}
        (inode,) = {inode_of(model[tensor.name]) for model in models}
        assert inode
    total = sum(model.nbytes for model in models[0].values())
    assert server.metric("seedbed_bytes_sampled_total") == total
    assert server.metric("seedbed_bytes_served_total", lane="shared_memory") == 4 * total


def test_a_rank_may_write_to_what_another_one_has(server: ServerProcess) -> None:
    with sb.connect(server.address) as one, sb.connect(server.address) as other:
        mine, theirs = one.sample(spec("w")), other.sample(spec("w"))
        assert inode_of(mine) == inode_of(theirs) != 0
        mine[:] = 0
        assert theirs.tobytes() == embedded(spec("w")) == other.sample(spec("w")).tobytes()


def test_a_matrix_that_takes_long_is_waited_for(server: ServerProcess) -> None:
    def rank(_: int) -> int:
        with sb.connect(server.address) as client:
            array = client.sample(MATRIX)
            assert array.tobytes() == embedded(MATRIX)
            return inode_of(array)

    with ThreadPoolExecutor(3) as threads:
        (inode,) = set(threads.map(rank, range(3)))
    assert inode
    assert server.metric("seedbed_bytes_sampled_total") == 4 * 700 * 700


def test_memory_that_nobody_maps_is_used_again(server: ServerProcess) -> None:
    with sb.connect(server.address) as client:
        first = client.sample(spec("a"))
        inode = inode_of(first)
        second = client.sample(spec("b"))
        assert inode_of(second) not in {0, inode}, "the first one is still mapped"
        assert first.tobytes() == embedded(spec("a"))
        del first
        for name in ("c", "d", "a"):
            array = client.sample(spec(name))
            assert inode_of(array) == inode
            assert array.tobytes() == embedded(spec(name))
            del array
        assert second.tobytes() == embedded(spec("b"))


def test_a_view_keeps_the_memory(server: ServerProcess) -> None:
    with sb.connect(server.address) as client:
        view = client.sample(spec("a"))[10:20, ::2]
        kept = view.copy()
        for name in "bcd":
            client.sample(spec(name))
        assert np.array_equal(view, kept)


def test_threads_that_fetch_and_drop_tensors_always_have_the_right_ones(
    server: ServerProcess,
) -> None:
    names = "abcde"
    expected = {name: digest_bytes(embedded(spec(name, 300))) for name in names}

    def rank(number: int) -> None:
        held: list[tuple[str, NDArray[Any]]] = []
        with sb.connect(server.address) as client:
            for turn in range(40):
                name = names[(turn * (number + 1)) % len(names)]
                held.append((name, client.sample(spec(name, 300))))
                for each, array in held:
                    assert digest_bytes(array.tobytes()) == expected[each]
                held = held[-2:]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(rank, range(4)))


def test_a_call_that_ends_early_costs_others_only_time(
    server: ServerProcess, channel: grpc.Channel
) -> None:
    large = sb.TensorSpec("large", (60_000, SHAPE[1]), "float32", sb.RandomNormal(), seed=1)
    request = sample_request(tensor_request_to_proto(TensorRequest(large)), accepts_segments=True)
    call = stub(channel).SampleTensors(request)
    wait_until(lambda: server.metric("seedbed_bytes_sampled_total"))
    threading.Timer(0.05, call.cancel).start()
    with sb.connect(server.address) as client:
        assert digest_bytes(client.sample(large).reshape(-1).view(np.uint8).data) == client.digest(
            large
        )


def test_a_call_that_does_not_go_on_is_not_waited_for(
    server: ServerProcess, channel: grpc.Channel
) -> None:
    small = [spec(f"small{i}", 50) for i in range(400)]
    mixed = list(
        itertools.chain.from_iterable(
            zip(small, (spec(f"large{i}") for i in range(400)), strict=True)
        )
    )
    tensors = [tensor_request_to_proto(TensorRequest(each)) for each in mixed]
    stalled = stub(channel).SampleTensors(sample_request(*tensors, accepts_segments=True))
    next(stalled)  # and no more: what is sent in the stream fills the connection's windows
    before = -1.0
    while (now := server.metric("seedbed_bytes_sampled_total")) != before:
        before = now
        time.sleep(0.5)
    # What the stalled call has begun is filled without it, and what it has not begun is free.
    with sb.connect(server.address) as client:
        for each in mixed[1::2][:60]:
            assert client.sample(each, timeout_seconds=120).tobytes() == embedded(each)
    stalled.cancel()


def test_a_segment_stays_until_its_call_ends(
    server: ServerProcess, channel: grpc.Channel, memory: Path
) -> None:
    request = sample_request(
        tensor_request_to_proto(TensorRequest(spec("w"))), accepts_segments=True
    )
    calls = [stub(channel).SampleTensors(request) for _ in range(2)]
    parts = [part for call in calls for part in next(call).parts]
    (path,) = {memory / part.segment.path for part in parts}
    assert path.read_bytes() == embedded(spec("w"))
    assert not any(part.HasField("digest") for part in parts)
    calls[0].cancel()
    server.wait_for_count("method=SampleTensors code=OK", 1)
    assert path.read_bytes() == embedded(spec("w"))
    calls[1].cancel()
