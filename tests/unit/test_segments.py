"""Segments: files with names nobody chose, within a budget, gone when nobody needs them."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from seedbed.segments import SegmentError, map_segment
from seedbed.wire.protos import segment_to_bytes
from seedbed_server.segments import Segment, SegmentFolder, SegmentsError

SIZE = 5000
DATA = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[SegmentFolder]:
    folder = SegmentFolder(tmp_path, mode=0o600, max_bytes=4 * SIZE)
    yield folder
    folder.close()


def filled(folder: SegmentFolder) -> Segment:
    segment = folder.create(SIZE)
    assert segment is not None
    segment.write(1000, DATA[1000:])
    segment.write(0, DATA[:1000])
    return segment


def message(folder: SegmentFolder, segment: Segment, size: int = SIZE) -> bytes:
    return segment_to_bytes(str(folder.directory), folder.path_of(segment), size)


def test_what_is_written_is_what_is_mapped(folder: SegmentFolder) -> None:
    assert bytes(map_segment(message(folder, filled(folder)), SIZE)) == DATA.tobytes()


def test_a_mapping_outlives_the_segment_and_its_server(folder: SegmentFolder) -> None:
    segment = filled(folder)
    mapped = map_segment(message(folder, segment), SIZE)
    segment.remove()
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
    segments = [filled(folder) for _ in range(4)]
    assert folder.create(1) is None
    assert folder.held_bytes == 4 * SIZE
    segments.pop().remove()
    assert folder.create(SIZE + 1) is None
    assert filled(folder).size_bytes == SIZE
    for segment in segments:
        segment.remove()
    assert folder.held_bytes == SIZE


def test_a_segment_that_the_folder_has_no_room_for_is_not_made(folder: SegmentFolder) -> None:
    endless = SegmentFolder(folder.directory, mode=0o600, max_bytes=2**62)
    assert endless.create(2**61) is None
    assert endless.held_bytes == 0
    endless.close()


def test_a_write_to_a_removed_segment_does_nothing(folder: SegmentFolder) -> None:
    segment = filled(folder)
    segment.remove()
    with (folder.own / "another").open("wb") as taken:  # may have got the descriptor's number
        segment.write(0, DATA)
        assert os.fstat(taken.fileno()).st_size == 0


@pytest.mark.parametrize(("mode", "of_folder"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_who_may_read_a_segment_may_enter_its_folder_and_nobody_else(tmp_path: Path, mode: int, of_folder: int) -> None:
    before = os.umask(0o077)
    try:
        folder = SegmentFolder(tmp_path, mode=mode, max_bytes=SIZE)
        segment = filled(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder.own / segment.name).stat().st_mode) == mode
    assert stat.S_IMODE(folder.own.stat().st_mode) == of_folder
    folder.close()


DIES = """
import os, sys
from pathlib import Path
from seedbed_server.segments import SegmentFolder
folder = SegmentFolder(Path(sys.argv[1]), mode=0o600, max_bytes=100)
folder.create(100)
print(folder.own, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_a_dead_server_left_behind_is_removed_by_the_next(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], capture_output=True, text=True, check=False)
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
    with pytest.raises(SegmentsError, match=r"--shared-memory-dir must be an existing folder's absolute path"):
        SegmentFolder(path, mode=0o600, max_bytes=SIZE)


@pytest.mark.parametrize(
    "path",
    ["../etc/passwd", "seedbed-1/../x", "/etc/passwd", "a", "a/b/c", "a/.hidden", "..", "", "a/b\0", "a\n/b", "./b"],
)
def test_a_path_that_leads_elsewhere_is_not_opened(tmp_path: Path, path: str) -> None:
    with pytest.raises(SegmentError):
        map_segment(segment_to_bytes(str(tmp_path), path, SIZE), SIZE)


def test_a_folder_that_no_system_has_is_not_opened() -> None:
    with pytest.raises(SegmentError, match="null"):
        map_segment(segment_to_bytes("/a\0b", "a/b", SIZE), SIZE)


def test_a_segment_that_is_not_what_was_asked_for_is_not_mapped(folder: SegmentFolder) -> None:
    segment = filled(folder)
    for data in (b"\xff\xff", message(folder, segment, SIZE - 1), message(folder, segment).replace(b"/0", b"/1")):
        with pytest.raises(SegmentError):
            map_segment(data, SIZE)
    (folder.own / "link").symlink_to(folder.own / segment.name)
    (folder.own / "short").write_bytes(DATA[:-1].tobytes())
    for name in ("link", "short"):
        with pytest.raises(SegmentError):
            map_segment(segment_to_bytes(str(folder.directory), f"{folder.own.name}/{name}", SIZE), SIZE)


def test_a_folder_may_lie_elsewhere_for_the_client(folder: SegmentFolder, tmp_path: Path) -> None:
    segment = filled(folder)
    elsewhere = segment_to_bytes("/nowhere", folder.path_of(segment), SIZE)
    assert bytes(map_segment(elsewhere, SIZE, str(tmp_path))) == DATA.tobytes()
    with pytest.raises(SegmentError):
        map_segment(elsewhere, SIZE)
