"""Compiled kernels are loaded only from where nobody else can have put code."""

import logging
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from seedbed_server.backends import compilation
from seedbed_server.backends.compilation import CacheError, check_code_folder
from seedbed_server.backends.kernel_files import write_kernels

OTHER = 12_345


class Planted:
    """What leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self._trace,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache as a server makes it, with one file."""
    made = tmp_path / "cache" / "kernels"
    made.parent.mkdir(mode=0o700)
    made.mkdir(mode=0o700)
    (made / "x.kernel").touch()
    return made


@pytest.fixture
def cache_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """The function without its memory; the default folder and the temporary one are the test's."""
    monkeypatch.delenv("SEEDBED_KERNEL_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return compilation.cache_directory.__wrapped__


def test_a_folder_of_our_own_is_good(folder: Path) -> None:
    check_code_folder(folder)
    # As under a umask of 002: nobody else can come to the file.
    (folder / "x.kernel").chmod(0o664)
    check_code_folder(folder)


def test_a_folder_that_others_may_read_is_good(folder: Path) -> None:
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    check_code_folder(folder)


def test_a_folder_that_is_not_there_holds_no_code(tmp_path: Path) -> None:
    check_code_folder(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    check_code_folder(tmp_path / "file" / "b")


@pytest.mark.parametrize("mode", [0o770, 0o757, 0o777, 0o1777], ids=oct)
@pytest.mark.parametrize("which", ["", ".."], ids=["the folder", "its parent"])
def test_a_folder_that_others_may_write_to_is_refused(folder: Path, which: str, mode: int) -> None:
    (folder / which).resolve().chmod(mode)
    with pytest.raises(CacheError, match="others may write to"):
        check_code_folder(folder)


def test_a_file_that_others_may_write_to_is_refused(folder: Path) -> None:
    folder.chmod(0o755)
    (folder / "x.kernel").chmod(0o666)
    with pytest.raises(CacheError, match=r"others may write to .*x\.kernel"):
        check_code_folder(folder)


@pytest.mark.parametrize("which", ["cache", "kernels", "x.kernel"])
def test_what_belongs_to_another_user_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(real(path, follow_symlinks=follow_symlinks))
        if path.name == which:
            found[4] = OTHER
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(CacheError, match=f"{which} belongs to another user"):
        check_code_folder(folder)


def test_new_folders_are_ours_alone_whatever_the_umask(
    cache_directory: object, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        found = cache_directory()  # type: ignore[operator]
    finally:
        os.umask(before)
    assert found.parent == tmp_path / "home" / "seedbed"
    assert [each.stat().st_mode & 0o777 for each in (found, found.parent)] == [0o700, 0o700]


def test_a_default_folder_of_others_is_left_alone_with_a_warning(
    cache_directory: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home" / "seedbed").mkdir(parents=True)
    (tmp_path / "home" / "seedbed").chmod(0o777)
    with caplog.at_level(logging.WARNING):
        assert cache_directory() is None  # type: ignore[operator]
    assert "others may write to" in caplog.text


def test_a_temporary_folder_of_others_is_left_alone_with_a_warning(
    cache_directory: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SEEDBED_KERNEL_CACHE_DIR", "/proc/nowhere")
    squatted = tmp_path / "tmp" / f"seedbed-{os.getuid()}"
    squatted.mkdir()
    squatted.chmod(0o777)
    with caplog.at_level(logging.WARNING):
        assert cache_directory() is None  # type: ignore[operator]
    assert "others may write to" in caplog.text


def test_where_nothing_can_be_written_at_all_there_is_no_cache(
    cache_directory: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setenv("SEEDBED_KERNEL_CACHE_DIR", "/proc/nowhere")
    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert cache_directory() is None  # type: ignore[operator]


@pytest.mark.parametrize("variable", ["SEEDBED_KERNEL_CACHE_DIR", "XDG_CACHE_HOME"])
def test_a_relative_folder_stays_the_same_wherever_the_process_goes(
    cache_directory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "here")
    assert tmp_path / "here" in cache_directory().parents  # type: ignore[operator]


def test_a_planted_pickle_does_not_run(tmp_path: Path) -> None:
    cache, trace = tmp_path / "cache", tmp_path / "trace"
    program = [sys.executable, "-m", "seedbed_server", "--device", "cpu", "--self-test"]
    environment = {**os.environ, "SEEDBED_KERNEL_CACHE_DIR": str(cache)}
    subprocess.run(program, env=environment, check=True, capture_output=True)
    kernels = list(cache.rglob("*.kernel"))
    assert kernels
    for each in kernels:
        write_kernels(each, pickle.dumps(Planted(trace), protocol=5))
    cache.chmod(0o777)
    done = subprocess.run(program, env=environment, check=False, capture_output=True, text=True)
    assert not trace.exists()
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"others may write to {cache}" in done.stderr
