"""Segments: files with names nobody chose, within a budget, gone when nobody needs them."""

import asyncio
import fcntl
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.reasons import Reason
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.mapping import SegmentBusyError, SegmentError, map_segment
from seedbed.wire.protos import segment_to_bytes
from seedbed_server.backends.base import Backend
from seedbed_server.refusals import NoRoomError
from seedbed_server.sampling.sampler import SamplePlan, plan
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.segment_folder import Lease, SegmentFolder, SegmentsError
from tests.samples import sample

SIZE = 5000


def plan_of(name: str, size_bytes: int = SIZE) -> SamplePlan:
    """Return the plan of a tensor that no other name has."""
    spec = sb.TensorSpec(name, (size_bytes // 4,), "float32", sb.RandomUniform(seed=1))
    return plan(TensorRequest(spec))


def bytes_of(cpu: Backend, name: str) -> bytes:
    """Return what a tensor holds."""
    return sample(cpu, plan_of(name).request.spec).tobytes()


class World:
    """A folder and who fills its segments, within a running loop."""

    def __init__(self, folder: SegmentFolder, threads: SamplingThreads) -> None:
        self.folder = folder
        self.threads = threads

    def lease(self, name: str, size_bytes: int = SIZE) -> Lease | None:
        return self.folder.lease(plan_of(name, size_bytes), "unix:", self.threads)

    async def filled(self, name: str) -> Lease:
        """Return a lease of a segment when its tensor is there."""
        lease = self.lease(name)
        assert lease is not None
        await lease.filled
        return lease

    def message(self, lease: Lease, size: int = SIZE) -> bytes:
        return segment_to_bytes(str(self.folder.directory), lease.path, size)

    def mapped(self, lease: Lease) -> memoryview:
        return map_segment(self.message(lease), SIZE)


Use = Callable[[World], Coroutine[Any, Any, None]]


@asynccontextmanager
async def world(
    cpu: Backend, directory: Path, *, mode: int = 0o600, **options: Any
) -> AsyncIterator[World]:
    settings: dict[str, Any] = {"max_bytes": 4 * SIZE, **options}
    threads = SamplingThreads(cpu, on_sampled=lambda plan, size_bytes: None)
    folder = SegmentFolder(directory, mode=mode, **settings)
    try:
        yield World(folder, threads)
    finally:
        folder.close()


@pytest.fixture
def run(cpu: Backend, tmp_path: Path) -> Callable[[Use], None]:
    """Run what uses a folder in a loop."""

    async def within(use: Use) -> None:
        async with world(cpu, tmp_path) as its_world:
            await use(its_world)

    return lambda use: asyncio.run(within(use))


Run = Callable[[Use], None]


def test_what_is_sampled_is_what_is_mapped(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        assert bytes(world.mapped(await world.filled("w"))) == bytes_of(cpu, "w")

    run(use)


def test_a_mapping_outlives_the_segment_and_its_server(cpu: Backend, tmp_path: Path) -> None:
    async def use() -> memoryview:
        async with world(cpu, tmp_path) as its_world:
            lease = await its_world.filled("w")
            mapped = its_world.mapped(lease)
            its_world.folder.give_back(lease)
            return mapped

    mapped = asyncio.run(use())
    assert list(tmp_path.iterdir()) == []
    assert bytes(mapped) == bytes_of(cpu, "w")


def test_what_a_client_writes_into_its_mapping_nobody_else_sees(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        one, other = world.mapped(lease), world.mapped(lease)
        one[:] = bytes(SIZE)
        assert bytes(other) == bytes(world.mapped(lease)) == bytes_of(cpu, "w")

    run(use)


def test_segments_stay_within_the_budget(run: Run) -> None:
    async def use(world: World) -> None:
        leases = [await world.filled(name) for name in "abcd"]
        assert world.lease("e", 4) is None
        assert world.folder.held_bytes == 4 * SIZE
        world.folder.give_back(leases.pop())
        assert world.lease("e", SIZE + 4) is None
        await world.filled("f")
        assert world.folder.held_bytes <= 4 * SIZE

    run(use)


def test_a_segment_that_the_folder_has_no_room_for_is_not_made(
    cpu: Backend, tmp_path: Path
) -> None:
    async def use() -> None:
        async with world(cpu, tmp_path, max_bytes=2**62) as its_world:
            assert its_world.lease("w", 2**61) is None
            assert its_world.folder.held_bytes == 0

    asyncio.run(use())


def test_segments_leave_descriptors_to_others(
    cpu: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 20))

    async def use() -> None:
        async with world(cpu, tmp_path, max_bytes=2**30) as its_world:
            leases = [its_world.lease(name) for name in "abcdef"]
            assert [lease is None for lease in leases] == [False] * 5 + [True]

    asyncio.run(use())


def test_calls_that_want_the_same_share_a_segment(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        first = world.lease("w")
        assert first is not None
        assert world.lease("w") is first, "while it is filled"
        await first.filled
        assert world.lease("w") is first, "and afterwards"
        assert world.folder.held_bytes == SIZE
        other = await world.filled("v")
        assert bytes(world.mapped(first)) == bytes_of(cpu, "w")
        assert bytes(world.mapped(other)) == bytes_of(cpu, "v")

    run(use)


def test_a_segment_is_filled_for_those_who_still_wait_for_it(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        hasty, patient = world.lease("w"), world.lease("w")
        assert patient is not None
        assert hasty is patient
        world.folder.give_back(patient)
        await patient.filled
        assert bytes(world.mapped(patient)) == bytes_of(cpu, "w")

    run(use)


def test_a_segment_that_nobody_waits_for_is_given_up(run: Run) -> None:
    async def use(world: World) -> None:
        lease = world.lease("w")
        assert lease is not None
        world.folder.give_back(lease)
        assert world.folder.held_bytes == 0
        assert not lease.segment.path.exists()
        again = await world.filled("w")
        assert again is not lease

    run(use)


def test_a_full_folder_is_an_overload_for_all_who_wait_and_the_next_call_tries_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async def use(world: World) -> None:
        monkeypatch.setattr(os, "pwrite", full)
        first, second = world.lease("w"), world.lease("w")
        assert first is not None
        assert first is second
        with pytest.raises(NoRoomError, match="shared memory is full") as caught:
            await first.filled
        assert caught.value.reason == Reason.SHARED_MEMORY_FULL
        monkeypatch.undo()
        again = await world.filled("w")
        assert again is not first
        for _ in range(2):
            world.folder.give_back(first)
        assert world.lease("w") is again
        assert world.folder.held_bytes == SIZE

    run(use)


def test_memory_is_used_again_when_nobody_maps_it(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        old = world.message(lease)
        mapped = map_segment(old, SIZE)
        world.folder.give_back(lease)
        second = await world.filled("v")
        assert second.segment is not lease.segment, "it is mapped"
        assert bytes(mapped) == bytes_of(cpu, "w")
        del mapped
        third = await world.filled("u")
        assert third.segment is lease.segment
        assert world.folder.held_bytes == 2 * SIZE
        assert bytes(world.mapped(third)) == bytes_of(cpu, "u")
        with pytest.raises(SegmentError):
            map_segment(old, SIZE)
        assert world.lease("w") is not lease, "its content is gone"

    run(use)


def test_an_idle_segment_serves_whoever_comes_late(run: Run, cpu: Backend) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        world.folder.give_back(lease)
        assert world.lease("w") is lease
        assert (await world.filled("v")).segment is not lease.segment, "it is in use again"
        assert bytes(world.mapped(lease)) == bytes_of(cpu, "w")

    run(use)


def test_idle_segments_make_room(run: Run) -> None:
    async def use(world: World) -> None:
        for lease in [await world.filled(name) for name in "abcd"]:
            world.folder.give_back(lease)
        assert world.folder.held_bytes == 4 * SIZE
        assert world.lease("e", 2 * SIZE) is not None
        assert world.folder.held_bytes == 4 * SIZE
        names = list(world.folder.own.iterdir())
        assert len(names) == 1 + 3, "the lock, two that are idle, and the new one"

    run(use)


def test_idle_segments_go_after_a_while(cpu: Backend, tmp_path: Path) -> None:
    async def use() -> None:
        async with world(cpu, tmp_path, idle_seconds=0.2) as its_world:
            kept, lease = await its_world.filled("kept"), await its_world.filled("w")
            mapped = its_world.mapped(lease)
            its_world.folder.give_back(lease)
            async with asyncio.timeout(60):
                while its_world.folder.held_bytes > SIZE:
                    await asyncio.sleep(0.01)
            names = [path.name for path in its_world.folder.own.iterdir() if path.name != "lock"]
            assert names == [kept.segment.path.name]
            assert bytes(mapped) == bytes_of(cpu, "w")

    asyncio.run(use())


def test_a_segment_that_became_another_tensors_is_not_mapped(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        old = world.message(lease)
        following: list[Lease] = []

        def slow_flock(descriptor: int, operation: int) -> None:
            monkeypatch.undo()
            world.folder.give_back(lease)
            found = world.lease("v")
            assert found is not None
            assert found.segment is lease.segment
            following.append(found)
            fcntl.flock(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", slow_flock)
        with pytest.raises(SegmentBusyError, match="another tensor's"):
            map_segment(old, SIZE)  # while it is filled
        await following[0].filled
        with pytest.raises(SegmentError):
            map_segment(old, SIZE)

    run(use)


def test_a_process_keeps_descriptors_for_the_rest_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        monkeypatch.setattr(resource, "getrlimit", lambda _: (4, 4))
        with pytest.raises(SegmentBusyError, match="of at most 4 files open"):
            world.mapped(lease)

    run(use)


@pytest.mark.parametrize(("mode", "of_folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_who_may_read_a_segment_may_enter_its_folder_and_nobody_else(
    cpu: Backend, tmp_path: Path, mode: int, of_folder: int
) -> None:
    async def use() -> None:
        async with world(cpu, tmp_path, mode=mode) as its_world:
            lease = await its_world.filled("w")
            assert stat.S_IMODE(lease.segment.path.stat().st_mode) == mode
            assert stat.S_IMODE(its_world.folder.own.stat().st_mode) == of_folder

    before = os.umask(0o077)
    try:
        asyncio.run(use())
    finally:
        os.umask(before)


DIES = """
import os, sys
from pathlib import Path
from seedbed_server.streams.segment_folder import SegmentFolder
folder = SegmentFolder(Path(sys.argv[1]), mode=0o600, max_bytes=100)
(folder.own / "0").write_bytes(bytes(100))
print(folder.own, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_dead_server_left_behind_is_removed_by_the_next(
    cpu: Backend, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert Path(done.stdout.strip()).is_dir(), done.stderr
    foreign = tmp_path / "seedbed-notes"
    foreign.mkdir()

    async def use() -> None:
        async with world(cpu, tmp_path) as living, world(cpu, tmp_path):
            assert not Path(done.stdout.strip()).exists()
            assert foreign.is_dir()
            assert bytes(living.mapped(await living.filled("w"))) == bytes_of(cpu, "w")

    asyncio.run(use())


@pytest.mark.parametrize("place", ["missing", "relative", "file"])
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    path = Path("relative") if place == "relative" else tmp_path / place
    with pytest.raises(
        SegmentsError, match=r"--shared-memory-dir must be an existing folder's absolute path"
    ):
        SegmentFolder(path, mode=0o600, max_bytes=SIZE)


@pytest.mark.parametrize(
    "path",
    [
        "../etc/passwd",
        "seedbed-1/../x",
        "/etc/passwd",
        "a",
        "a/b/c",
        "a/.hidden",
        "..",
        "",
        "a/b\0",
        "a\n/b",
        "./b",
    ],
)
def test_a_path_that_leads_elsewhere_is_not_opened(tmp_path: Path, path: str) -> None:
    with pytest.raises(SegmentError):
        map_segment(segment_to_bytes(str(tmp_path), path, SIZE), SIZE)


def test_a_folder_that_no_system_has_is_not_opened() -> None:
    with pytest.raises(SegmentError, match="null"):
        map_segment(segment_to_bytes("/a\0b", "a/b", SIZE), SIZE)


def test_a_segment_that_is_not_what_was_asked_for_is_not_mapped(run: Run) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        own = world.folder.own
        for data in (
            b"\xff\xff",
            world.message(lease, SIZE - 1),
            world.message(lease).replace(b"/0", b"/1"),
        ):
            with pytest.raises(SegmentError):
                map_segment(data, SIZE)
        (own / "link").symlink_to(lease.segment.path)
        (own / "short").write_bytes(np.zeros(SIZE - 1, np.uint8).tobytes())
        for name in ("link", "short"):
            message = segment_to_bytes(str(world.folder.directory), f"{own.name}/{name}", SIZE)
            with pytest.raises(SegmentError):
                map_segment(message, SIZE)

    run(use)


def test_a_folder_may_lie_elsewhere_for_the_client(run: Run, cpu: Backend, tmp_path: Path) -> None:
    async def use(world: World) -> None:
        lease = await world.filled("w")
        elsewhere = segment_to_bytes("/nowhere", lease.path, SIZE)
        assert bytes(map_segment(elsewhere, SIZE, str(tmp_path))) == bytes_of(cpu, "w")
        with pytest.raises(SegmentError):
            map_segment(elsewhere, SIZE)

    run(use)


def test_a_folder_that_somebody_took_away_costs_only_its_advantage(run: Run) -> None:
    """As some systems do with a user's files in /dev/shm when the user logs out."""

    async def use(world: World) -> None:
        kept = await world.filled("w")
        world.folder.give_back(kept)
        shutil.rmtree(world.folder.own)
        assert world.lease("w") is kept
        assert world.lease("v") is None

    run(use)


def test_servers_that_start_at_the_same_time_leave_each_others_folders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts looks for locks that nobody holds, also just before another one has one."""
    lock, others = fcntl.flock, []

    def start_another_first(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        others.append(SegmentFolder(tmp_path, mode=0o600, max_bytes=SIZE))
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", start_another_first)
    folder = SegmentFolder(tmp_path, mode=0o600, max_bytes=SIZE)
    assert {each.name for each in tmp_path.iterdir()} == {folder.own.name, others[0].own.name}
    for each in (folder, *others):
        each.close()
    assert list(tmp_path.iterdir()) == []
