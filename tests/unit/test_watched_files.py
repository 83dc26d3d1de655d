"""Files that are read again when they change."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.spec.errors import SeedbedError
from seedbed_server.watched_files import LOOK_SECONDS, WatchedFile, WatchedFileError


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_a_look(self) -> None:
        self.now += LOOK_SECONDS


class BadWordError(SeedbedError):
    pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "words"
    path.write_text("one")
    return path


def word(path: Path) -> str:
    text = path.read_text()
    if text == "bad":
        raise BadWordError(f"{path} has a bad word")
    return text


def watched(path: Path, clock: Callable[[], float]) -> WatchedFile[str]:
    return WatchedFile([path], lambda: word(path), clock)


def test_a_changed_file_is_read_at_the_next_look(path: Path, clock: Clock) -> None:
    file = watched(path, clock)
    path.write_text("two")
    assert file.value == "one"
    clock.pass_a_look()
    assert file.value == "two"


def test_a_file_of_the_same_size_and_time_in_its_place_is_read(path: Path, clock: Clock) -> None:
    file = watched(path, clock)
    other = path.with_name("other")
    other.write_text("two")
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)
    clock.pass_a_look()
    assert file.value == "two"


def test_a_swapped_symbolic_link_above_the_file_is_noticed(tmp_path: Path, clock: Clock) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "words").write_text(name)
    data, new = tmp_path / "..data", tmp_path / "..data_tmp"
    data.symlink_to("one")
    file = watched(data / "words", clock)
    new.symlink_to("two")
    new.replace(data)
    clock.pass_a_look()
    assert file.value == "two"


def test_an_unchanged_file_is_read_once(path: Path, clock: Clock) -> None:
    reads: list[str] = []
    file = WatchedFile([path], lambda: reads.append(word(path)), clock)
    for _ in range(3):
        clock.pass_a_look()
        assert file.value is None
    assert reads == ["one"]


def test_a_change_while_it_is_read_is_read_at_the_next_look(path: Path, clock: Clock) -> None:
    def load() -> str:
        text = word(path)
        if text == "one":
            path.write_text("three")
        return text

    file = WatchedFile([path], load, clock)
    assert file.value == "one"
    clock.pass_a_look()
    assert file.value == "three"


def test_what_is_wrong_is_logged_once_and_the_old_value_stays(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file = watched(path, clock)
    path.write_text("bad")
    for _ in range(3):
        clock.pass_a_look()
        assert file.value == "one"
    assert [each.getMessage() for each in caplog.records] == [
        f"{path} has a bad word; what was read before stays in use"
    ]
    path.write_text("mended")
    clock.pass_a_look()
    assert file.value == "mended"


def test_a_file_that_is_gone_or_unreadable_leaves_the_old_value(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file = watched(path, clock)
    path.unlink()
    path.mkdir()
    clock.pass_a_look()
    assert file.value == "one"
    path.rmdir()
    clock.pass_a_look()
    assert file.value == "one"
    assert [each.levelno for each in caplog.records] == [logging.ERROR] * 2
    assert all(str(path) in each.getMessage() for each in caplog.records)
    path.write_text("back")
    clock.pass_a_look()
    assert file.value == "back"


def test_several_files_are_read_when_one_changes(tmp_path: Path, clock: Clock) -> None:
    paths = [tmp_path / "left", tmp_path / "right"]
    for path in paths:
        path.write_text("old")
    file = WatchedFile(paths, lambda: "".join(map(Path.read_text, paths)), clock)
    paths[1].write_text("newer")
    clock.pass_a_look()
    assert file.value == "oldnewer"


def test_at_the_start_errors_are_raised(tmp_path: Path, path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(WatchedFileError, match=f"cannot read {missing}: No such file"):
        WatchedFile([missing], missing.read_text)
    path.write_text("bad")
    with pytest.raises(BadWordError):
        watched(path, Clock())


def test_threads_that_look_at_once_read_once(path: Path, clock: Clock) -> None:
    reads: list[str] = []

    def load() -> str:
        reads.append(word(path))
        return reads[-1]

    file = WatchedFile([path], load, clock)
    path.write_text("two")
    clock.pass_a_look()
    threads = [threading.Thread(target=lambda: file.value) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert reads == ["one", "two"]


def test_what_could_not_be_read_is_tried_again_and_told_once(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The file looks the same when a descriptor is free again."""
    left: list[int] = []

    def load() -> str:
        if not left:
            raise OSError(24, "Too many open files", str(path))
        return word(path)

    left.append(1)
    file = WatchedFile([path], load, clock)
    path.write_text("two")
    left.clear()
    for _ in range(3):
        clock.pass_a_look()
        assert file.value == "one"
    assert caplog.text.count("Too many open files") == 1
    left.append(1)
    clock.pass_a_look()
    assert file.value == "two"
