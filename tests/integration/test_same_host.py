"""Ranks on the server's host get tensors in shared memory, or else through the socket."""

import asyncio
import gc
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import psutil
import pytest

import seedbed as sb
from seedbed.v1 import service_pb2_grpc
from tests.event_loops import blocking, run
from tests.mappings import mapping_of
from tests.raw_calls import large_request, parts_of
from tests.servers import ServerProcess, serving
from tests.waiting import wait_until

LARGE = sb.TensorSpec("large", (1000, 700), "float32", sb.GlorotNormal(seed=1))
HALF = sb.TensorSpec("half", (1000, 700), "bfloat16", sb.Orthogonal(seed=1))
SMALL = sb.TensorSpec("small", (7, 3), "float64", sb.RandomUniform(seed=2))
EMPTY = sb.TensorSpec("empty", (0, 3), "float32", sb.RandomUniform(seed=2))
ZERO = sb.TensorSpec("zero", (1000, 701), "float32", sb.Zeros())
MODEL = sb.Manifest([SMALL, LARGE, EMPTY, HALF, ZERO])
# Seconds of work before the first byte, so that a call is under way.
SLOW = sb.TensorSpec("slow", (4096, 4096), "float32", sb.Orthogonal(seed=1))

Array = np.ndarray[tuple[int, ...], np.dtype[np.generic]]
Connect = Callable[..., AbstractContextManager[sb.Client]]


def connect_asynchronous(*arguments: Any, **options: Any) -> AbstractContextManager[sb.Client]:
    return blocking(sb.aio.connect(*arguments, **options))


@pytest.fixture(params=[sb.connect, connect_asynchronous], ids=["synchronous", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Any:
    """What gives a client of either kind."""
    return request.param


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    folder = tmp_path / "shm"
    folder.mkdir()
    return folder


@pytest.fixture
def server(tmp_path: Path, memory: Path) -> Iterator[ServerProcess]:
    arguments = (
        "--shared-memory-dir",
        str(memory),
        "--shared-memory-idle-seconds",
        "0.4",
        "--listen",
        "127.0.0.1:0",
    )
    with serving(*arguments, listen=f"unix://{tmp_path}/s.sock") as process:
        yield process


def file_of(array: Array, folder: Path) -> str | None:
    """Return the inode of the folder's file that an array is mapped from, named or not, or None."""
    inode, path = mapping_of(array)
    return str(inode) if str(folder) in path else None


def is_mapped(array: Array, folder: Path) -> bool:
    """Return whether an array lies in a file of the folder."""
    return file_of(array, folder) is not None


def files_in(folder: Path) -> list[Path]:
    """Return the segments that have names."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


def wait_empty(folder: Path, seconds: float = 60.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if not files_in(folder):
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(files_in(folder))


def test_large_tensors_are_mapped_and_all_are_the_same_bits(
    server: ServerProcess, memory: Path, connect: Connect
) -> None:
    here = sb.connect("embedded:").sample_all(MODEL)
    with connect(server.address) as client:
        # A call that the client did not end would go on for a minute.
        model = client.sample_all(MODEL, timeout_seconds=30)
        assert {name: array.tobytes() for name, array in model.items()} == {
            name: array.tobytes() for name, array in here.items()
        }
        assert {name: (array.shape, array.dtype) for name, array in model.items()} == {
            name: (array.shape, array.dtype) for name, array in here.items()
        }
        assert {name for name, array in model.items() if is_mapped(array, memory)} == {
            "large",
            "half",
        }
        part = client.sample(LARGE, slice=sb.shard(1, 3, axis=1))
        assert np.array_equal(part, here["large"][:, 234:467])
        wait_empty(memory)
        server.wait_for_count("method=SampleTensors code=OK", 2)
    assert model["large"].tobytes() == here["large"].tobytes()
    assert is_mapped(model["large"], memory)


def test_a_mapped_array_may_be_written_to_and_outlives_the_server(
    server: ServerProcess, memory: Path, connect: Connect
) -> None:
    with connect(server.address) as client:
        array, other = client.sample(LARGE), client.sample(LARGE)
    assert is_mapped(array, memory)
    kept = other.copy()
    array[:] = 0
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert np.array_equal(other, kept)
    assert not array.any()
    assert list(memory.iterdir()) == []


def test_an_array_of_the_callers_is_filled(
    server: ServerProcess, memory: Path, connect: Connect
) -> None:
    out = np.zeros((1000, 700), np.float32)
    with connect(server.address) as client:
        assert client.sample(LARGE, out=out) is out
        assert client.sample_all(MODEL, out={"large": out})["large"] is out
        assert np.array_equal(out, client.sample(LARGE))
    assert not is_mapped(out, memory)


def test_memory_is_given_back_with_the_last_array(
    server: ServerProcess, memory: Path, connect: Connect
) -> None:
    gc.collect()
    gc.disable()
    try:
        with connect(server.address) as client:
            array = client.sample(LARGE)
            part = array[10:20]
            del array
            assert is_mapped(part, memory)
            del part
            # A thread that fetched may let go of what it returned a moment later.
            wait_until(lambda: str(memory) not in Path("/proc/self/maps").read_text())
    finally:
        gc.enable()


def test_progress_counts_every_byte(
    server: ServerProcess, tmp_path: Path, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    for directory in (None, str(tmp_path / "elsewhere")):
        with connect(server.address, shared_memory_dir=directory) as client:
            client.sample_all(MODEL, progress=True)
        assert " 6.68M/6.68M " in capsys.readouterr().err


def test_a_client_that_cannot_open_the_files_gets_the_bytes(
    server: ServerProcess, memory: Path, tmp_path: Path, connect: Connect
) -> None:
    with connect(server.address, shared_memory_dir=str(tmp_path / "elsewhere")) as client:
        for _ in range(2):
            array = client.sample(LARGE)
            assert not is_mapped(array, memory)
            assert array.tobytes() == sb.connect("embedded:").sample(LARGE).tobytes()
    wait_empty(memory)


def test_a_client_that_finds_the_folder_elsewhere_maps(
    server: ServerProcess, memory: Path, tmp_path: Path, connect: Connect
) -> None:
    (tmp_path / "here").symlink_to(memory)
    with connect(server.address, shared_memory_dir=str(tmp_path / "here")) as client:
        assert is_mapped(client.sample(LARGE), memory)


def test_a_client_with_too_many_open_files_maps_when_it_has_fewer(
    server: ServerProcess, memory: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(server.address) as client:
        with monkeypatch.context() as patch:
            patch.setattr(resource, "getrlimit", lambda which: (3, 3))
            array = client.sample(LARGE)
            assert not is_mapped(array, memory)
        again = client.sample(LARGE)
        assert is_mapped(again, memory)
        assert array.tobytes() == again.tobytes()


def test_several_connections_share_the_bytes_out_and_map_nothing(
    server: ServerProcess, memory: Path, connect: Connect
) -> None:
    with connect(server.address, channels=2, shared_memory_dir=str(memory)) as client:
        array = client.sample(LARGE)
    assert not is_mapped(array, memory)
    assert array.tobytes() == sb.connect("embedded:").sample(LARGE).tobytes()


def test_a_folder_that_is_full_costs_nothing_but_speed(
    tmp_path: Path, memory: Path, connect: Connect
) -> None:
    limit = ("--shared-memory-dir", str(memory), "--max-shared-memory-bytes", "1000000")
    with (
        serving(*limit, listen=f"unix://{tmp_path}/s.sock") as server,
        connect(server.address) as client,
    ):
        array = client.sample(LARGE)
        assert not is_mapped(array, memory)
        assert array.tobytes() == sb.connect("embedded:").sample(LARGE).tobytes()


def test_a_client_on_the_network_cannot_make_the_server_fill_its_memory(
    server: ServerProcess, memory: Path
) -> None:
    request = large_request(2**20)
    request.transfer.accepts_segments = True
    tcp = server.wait_for(r" INFO listening address=(127\S+)")
    with grpc.insecure_channel(tcp) as channel:
        for part in parts_of(channel, request):
            assert not part.HasField("segment")
            assert [path.name for path in memory.rglob("*") if path.is_file()] == ["lock"]


def test_a_client_that_dies_leaves_nothing_behind(server: ServerProcess, memory: Path) -> None:
    request = large_request(2**20)
    request.transfer.accepts_segments = True
    with grpc.insecure_channel(server.address.replace("unix://", "unix:")) as channel:
        # A call that is forgotten ends.
        call = service_pb2_grpc.SeedbedServiceStub(channel).SampleTensors(request)
        (part,) = next(call).parts
        assert (memory / part.segment.path).stat().st_size == part.segment.size_bytes
    wait_empty(memory)


def test_a_server_that_is_killed_is_cleaned_up_after_by_the_next(
    tmp_path: Path, memory: Path
) -> None:
    arguments = ("--shared-memory-dir", str(memory))
    with serving(*arguments, listen=f"unix://{tmp_path}/a.sock") as first:
        request = large_request(2**20)
        request.transfer.accepts_segments = True
        with grpc.insecure_channel(f"unix:{tmp_path}/a.sock") as channel:
            # A call that is forgotten ends.
            call = service_pb2_grpc.SeedbedServiceStub(channel).SampleTensors(request)
            next(call)
            first.signal(signal.SIGKILL)
            first.wait()
    assert list(memory.rglob("0"))
    with serving(*arguments, listen=f"unix://{tmp_path}/b.sock") as second:
        assert "which a server left behind" in second.log
        assert len(list(memory.iterdir())) == 1


@pytest.mark.parametrize("value", ["relative/folder", "/no/such/folder"])
def test_a_folder_that_is_not_there_is_one_line(value: str) -> None:
    from tests.servers import server_process

    with server_process("--shared-memory-dir", value) as server:
        assert server.wait() == 1
        assert "--shared-memory-dir must be an existing folder's absolute path" in server.log
        assert "Traceback" not in server.log


def test_the_server_holds_no_descriptors_of_what_was_sent(server: ServerProcess) -> None:
    with sb.connect(server.address) as client:
        client.sample(LARGE)
        before = psutil.Process(server.process.pid).num_fds()
        for _ in range(20):
            client.sample(LARGE)
        server.wait_for_count("method=SampleTensors", 21)
        assert psutil.Process(server.process.pid).num_fds() <= before + 2
    assert os.path.exists(server.address.removeprefix("unix://"))  # noqa: PTH110


def test_clients_of_both_kinds_map_the_same_memory(tmp_path: Path, memory: Path) -> None:
    arguments = ("--shared-memory-dir", str(memory))
    with (
        serving(*arguments, listen=f"unix://{tmp_path}/s.sock") as server,
        sb.connect(server.address) as one,
        connect_asynchronous(server.address) as other,
    ):
        arrays = one.sample(LARGE), other.sample(LARGE)
        assert len({array.__array_interface__["data"][0] for array in arrays}) == 2
        assert file_of(arrays[0], memory) == file_of(arrays[1], memory) is not None
        arrays[0][:] = 0
        assert arrays[1].tobytes() == sb.connect("embedded:").sample(LARGE).tobytes()


def test_tasks_that_ask_together_map_the_same_memory(tmp_path: Path, memory: Path) -> None:
    async def use(address: str) -> list[Array]:
        async with sb.aio.connect(address) as client:
            return list(await asyncio.gather(*(client.sample(LARGE) for _ in range(8))))

    with serving("--shared-memory-dir", str(memory), listen=f"unix://{tmp_path}/s.sock") as server:
        arrays = run(use(server.address))
    files = {file_of(array, memory) for array in arrays}
    assert len(files) == 1 and None not in files
    assert {array.tobytes() for array in arrays} == {
        sb.connect("embedded:").sample(LARGE).tobytes()
    }


def test_a_task_that_is_cancelled_ends_its_call_and_leaves_nothing_behind(
    server: ServerProcess, memory: Path
) -> None:
    async def use() -> Array:
        async with sb.aio.connect(server.address) as client:
            task = asyncio.create_task(client.sample(SLOW))
            while not files_in(memory) and not task.done():
                await asyncio.sleep(0.01)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_for_count, "method=SampleTensors code=CANCELLED", 1)
            await asyncio.to_thread(wait_empty, memory)
            return await client.sample(LARGE)

    assert is_mapped(run(use()), memory)
    wait_empty(memory)
    assert str(memory) not in Path("/proc/self/maps").read_text()
