"""Segments: files with names nobody chose, within a budget, gone when nobody needs them."""

import fcntl
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.digests import digest_bytes
from seedbed.transports.mapping import SegmentBusyError, SegmentError, map_segment
from seedbed.wire.protos import segment_to_bytes
from seedbed_server.refusals import OverloadedError
from seedbed_server.streams.segment import Segment
from seedbed_server.streams.segment_folder import Lease, SegmentFolder, SegmentsError

SIZE = 5000
DATA = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)
OTHER = np.random.default_rng(1).integers(0, 256, SIZE, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[SegmentFolder]:
    folder = SegmentFolder(tmp_path, mode=0o600, max_bytes=4 * SIZE)
    yield folder
    folder.close()


def leased(
    folder: SegmentFolder, content: str | None = None, data: NDArray[np.uint8] = DATA
) -> Lease:
    """Return a segment with something in it, as the call that fills it does."""
    found = folder.lease(SIZE, content)
    assert found is not None
    lease, is_ours = found
    assert is_ours
    if (memory := lease.segment.memory(0, SIZE)) is not None:
        memory[:] = data
    else:
        lease.segment.write(1000, data[1000:])
        lease.segment.write(0, data[:1000])
    lease.segment.publish(digest_bytes(data.data))
    return lease


def filled(folder: SegmentFolder) -> Segment:
    return leased(folder).segment


def message(folder: SegmentFolder, segment: Segment, size: int = SIZE) -> bytes:
    return segment_to_bytes(str(folder.directory), folder.path_of(segment), size)


def test_what_is_written_is_what_is_mapped(folder: SegmentFolder) -> None:
    assert bytes(map_segment(message(folder, filled(folder)), SIZE)) == DATA.tobytes()


def test_a_mapping_outlives_the_segment_and_its_server(folder: SegmentFolder) -> None:
    lease = leased(folder)
    mapped = map_segment(message(folder, lease.segment), SIZE)
    folder.give_back(lease)
    folder.close()
    assert list(folder.directory.iterdir()) == []
    assert bytes(mapped) == DATA.tobytes()
    folder.own.mkdir()  # for the fixture
    folder._guard = os.open(folder.own, os.O_RDONLY)


def test_what_a_client_writes_into_its_mapping_nobody_else_sees(folder: SegmentFolder) -> None:
    segment = filled(folder)
    one, other = (map_segment(message(folder, segment), SIZE) for _ in range(2))
    one[:] = bytes(SIZE)
    assert bytes(other) == DATA.tobytes()
    assert bytes(map_segment(message(folder, segment), SIZE)) == DATA.tobytes()


def test_segments_stay_within_the_budget(folder: SegmentFolder) -> None:
    leases = [leased(folder) for _ in range(4)]
    assert folder.lease(1) is None
    assert folder.held_bytes == 4 * SIZE
    folder.give_back(leases.pop())
    assert folder.lease(SIZE + 1) is None
    assert filled(folder).size_bytes == SIZE
    for lease in leases:
        folder.give_back(lease)
    assert folder.held_bytes == SIZE


def test_a_segment_that_the_folder_has_no_room_for_is_not_made(folder: SegmentFolder) -> None:
    endless = SegmentFolder(folder.directory, mode=0o600, max_bytes=2**62)
    assert endless.lease(2**61) is None
    assert endless.held_bytes == 0
    endless.close()


def test_segments_leave_descriptors_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (20, 20))
    folder = SegmentFolder(tmp_path, mode=0o600, max_bytes=2**30)
    leases = [folder.lease(1) for _ in range(6)]
    assert [lease is None for lease in leases] == [False] * 5 + [True]
    folder.close()


def test_calls_that_want_the_same_share_a_segment(folder: SegmentFolder) -> None:
    first = leased(folder, "w")
    second = folder.lease(SIZE, "w")
    assert second == (first, False)
    assert folder.held_bytes == SIZE
    other = leased(folder, "v", OTHER)
    one, two, three = (
        map_segment(message(folder, lease.segment), SIZE) for lease in (first, first, other)
    )
    assert bytes(one) == bytes(two) == DATA.tobytes()
    assert bytes(three) == OTHER.tobytes()
    assert first.segment.awaited().result() == digest_bytes(DATA.data)


def test_who_waits_for_a_segment_learns_that_it_will_not_be_there(folder: SegmentFolder) -> None:
    found = folder.lease(SIZE, "w")
    assert found is not None
    assert folder.lease(SIZE, "w") == (found[0], False)
    patient, hasty = found[0].segment.awaited(), found[0].segment.awaited()
    assert hasty.cancel()
    found[0].segment.abandon()
    with pytest.raises(OverloadedError, match="another client's call"):
        patient.result(timeout=0)
    again = leased(folder, "w")
    assert again is not found[0], "the next call does it"
    for lease in (found[0], found[0]):
        folder.give_back(lease)
    assert folder.lease(SIZE, "w") == (again, False)
    assert folder.held_bytes == SIZE


def test_memory_is_used_again_when_nobody_maps_it(folder: SegmentFolder) -> None:
    lease = leased(folder, "w")
    old = message(folder, lease.segment)
    mapped = map_segment(old, SIZE)
    folder.give_back(lease)
    second = leased(folder, "v", OTHER)
    assert second.segment is not lease.segment, "it is mapped"
    assert bytes(mapped) == DATA.tobytes()
    del mapped
    third = leased(folder, "u", OTHER)
    assert third.segment is lease.segment
    assert folder.held_bytes == 2 * SIZE
    assert bytes(map_segment(message(folder, third.segment), SIZE)) == OTHER.tobytes()
    with pytest.raises(SegmentError):
        map_segment(old, SIZE)
    assert folder.lease(SIZE, "w") != (lease, False), "its content is gone"


def test_an_idle_segment_serves_who_comes_late(folder: SegmentFolder) -> None:
    lease = leased(folder, "w")
    folder.give_back(lease)
    assert folder.lease(SIZE, "w") == (lease, False)
    assert leased(folder, "v", OTHER).segment is not lease.segment, "it is in use again"
    assert bytes(map_segment(message(folder, lease.segment), SIZE)) == DATA.tobytes()


def test_idle_segments_make_room(folder: SegmentFolder) -> None:
    for lease in [leased(folder, name) for name in "abcd"]:
        folder.give_back(lease)
    assert folder.held_bytes == 4 * SIZE
    found = folder.lease(2 * SIZE)
    assert found is not None
    assert folder.held_bytes == 4 * SIZE
    assert len(list(folder.own.iterdir())) == 1 + 3, "the lock, two that are idle, and the new one"


def test_idle_segments_go_after_a_while(tmp_path: Path) -> None:
    folder = SegmentFolder(tmp_path, mode=0o600, max_bytes=4 * SIZE, idle_seconds=0.2)
    kept = leased(folder, "kept")
    lease = leased(folder, "w")
    mapped = map_segment(message(folder, lease.segment), SIZE)
    folder.give_back(lease)
    deadline = time.monotonic() + 10
    while folder.held_bytes > SIZE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [path.name for path in folder.own.iterdir() if path.name != "lock"] == [
        kept.segment.path.name
    ]
    assert bytes(mapped) == DATA.tobytes()
    folder.close()


def test_a_client_without_a_lock_keeps_its_memory_to_itself(folder: SegmentFolder) -> None:
    lease = leased(folder)
    folder.give_back(lease)
    assert folder.held_bytes == 0
    assert not lease.segment.path.exists()


def test_a_segment_that_became_another_tensors_is_not_mapped(
    folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = leased(folder, "w")
    old = message(folder, lease.segment)

    def slow_flock(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        folder.give_back(lease)
        found = folder.lease(SIZE, f"{is_filled}")
        assert found is not None
        assert found[0].segment is lease.segment
        if is_filled:
            found[0].segment.publish(digest_bytes(OTHER.data))
        fcntl.flock(descriptor, operation)

    for is_filled in (True, False):
        monkeypatch.setattr(fcntl, "flock", slow_flock)
        with pytest.raises(SegmentBusyError, match="another tensor's"):
            map_segment(old, SIZE)
        if is_filled:
            old = message(folder, lease.segment)
            (lease,) = folder._shared.values()


def test_a_process_keeps_descriptors_for_the_rest_of_it(
    folder: SegmentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = filled(folder)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4, 4))
    with pytest.raises(SegmentBusyError, match="of at most 4 files open"):
        map_segment(message(folder, segment), SIZE)


def test_a_write_to_a_removed_segment_does_nothing(folder: SegmentFolder) -> None:
    lease = leased(folder)
    segment = lease.segment
    folder.give_back(lease)
    with (folder.own / "another").open("wb") as taken:  # may have got the descriptor's number
        segment.write(0, DATA)
        assert os.fstat(taken.fileno()).st_size == 0


@pytest.mark.parametrize(("mode", "of_folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_who_may_read_a_segment_may_enter_its_folder_and_nobody_else(
    tmp_path: Path, mode: int, of_folder: int
) -> None:
    before = os.umask(0o077)
    try:
        folder = SegmentFolder(tmp_path, mode=mode, max_bytes=SIZE)
        segment = filled(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(segment.path.stat().st_mode) == mode
    assert stat.S_IMODE(folder.own.stat().st_mode) == of_folder
    folder.close()


DIES = """
import os, sys
from pathlib import Path
from seedbed_server.streams.segment_folder import SegmentFolder
folder = SegmentFolder(Path(sys.argv[1]), mode=0o600, max_bytes=100)
folder.lease(100)
print(folder.own, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_dead_server_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert Path(done.stdout.strip()).is_dir(), done.stderr
    foreign = tmp_path / "seedbed-notes"
    foreign.mkdir()
    living = SegmentFolder(tmp_path, mode=0o600, max_bytes=SIZE)
    segment = filled(living)
    second = SegmentFolder(tmp_path, mode=0o600, max_bytes=SIZE)
    assert not Path(done.stdout.strip()).exists()
    assert foreign.is_dir()
    assert bytes(map_segment(message(living, segment), SIZE)) == DATA.tobytes()
    living.close()
    second.close()


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


def test_a_segment_that_is_not_what_was_asked_for_is_not_mapped(folder: SegmentFolder) -> None:
    segment = filled(folder)
    for data in (
        b"\xff\xff",
        message(folder, segment, SIZE - 1),
        message(folder, segment).replace(b"/0", b"/1"),
    ):
        with pytest.raises(SegmentError):
            map_segment(data, SIZE)
    (folder.own / "link").symlink_to(segment.path)
    (folder.own / "short").write_bytes(DATA[:-1].tobytes())
    for name in ("link", "short"):
        with pytest.raises(SegmentError):
            map_segment(
                segment_to_bytes(str(folder.directory), f"{folder.own.name}/{name}", SIZE), SIZE
            )


def test_a_folder_may_lie_elsewhere_for_the_client(folder: SegmentFolder, tmp_path: Path) -> None:
    segment = filled(folder)
    elsewhere = segment_to_bytes("/nowhere", folder.path_of(segment), SIZE)
    assert bytes(map_segment(elsewhere, SIZE, str(tmp_path))) == DATA.tobytes()
    with pytest.raises(SegmentError):
        map_segment(elsewhere, SIZE)
