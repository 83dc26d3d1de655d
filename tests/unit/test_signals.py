"""What a signal breaks off is not printed, and a signal that C code has swallowed comes again."""

import gc
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.cli import program
from seedbed.cli.result import Result

ENDS = {
    signal.SIGINT: (130, "seedbed: error: interrupted\n"),
    signal.SIGTERM: (143, "seedbed: error: terminated\n"),
}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what the interpreter would print of exceptions that it cannot raise."""
    seen: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type))
    return seen


class _Half:
    """As bindings of C libraries are: it cannot be deleted before it is made."""

    def __init__(self, number: signal.Signals) -> None:
        self.itself = self  # only the collector deletes it
        os.kill(os.getpid(), number)
        self.pointer = 1

    def __del__(self) -> None:
        assert self.pointer


class _Callback:
    """Deleted by C code, which cannot raise what its deletion raises."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)


def _wait(number: signal.Signals) -> Result:
    _Callback(number)
    time.sleep(60)
    raise AssertionError("The signal has not come again.")


def _break_off(number: signal.Signals) -> Result:
    _Half(number)
    raise AssertionError("The signal has raised nothing.")


@pytest.mark.parametrize("run", [_break_off, _wait])
@pytest.mark.parametrize("number", ENDS)
def test_only_the_end_is_printed(
    number: signal.Signals,
    run: Callable[[signal.Signals], Result],
    printed: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(program, "_run", lambda arguments: run(number))
    assert program.main([]) == ENDS[number][0]
    gc.collect()
    assert capsys.readouterr().err == ENDS[number][1]
    assert printed == []


def test_what_cannot_be_raised_without_a_signal_is_printed(
    printed: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = sys.unraisablehook

    def run(arguments: object) -> int:
        half = _Half.__new__(_Half)
        del half
        return 0

    monkeypatch.setattr(program, "_run", run)
    assert program.main([]) == 0
    assert printed == [AttributeError]
    assert sys.unraisablehook is hook


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_that_is_to_be_ignored_is(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    previous = signal.signal(number, signal.SIG_IGN)

    def run(arguments: object) -> int:
        os.kill(os.getpid(), number)
        return 0

    monkeypatch.setattr(program, "_run", run)
    try:
        assert program.main([]) == 0
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, previous)


@pytest.mark.parametrize("number", ENDS)
def test_an_import_goes_on_to_its_end(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = f"imported_at_{number.name}"
    lines = ("import os, sys", f"os.kill(os.getpid(), {int(number)})", "sys.is_whole = True")
    (tmp_path / f"{name}.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "is_whole", False, raising=False)

    def run(arguments: object) -> int:
        importlib.import_module(name)
        time.sleep(60)
        return 0

    monkeypatch.setattr(program, "_run", run)
    assert program.main([]) == ENDS[number][0]
    assert capsys.readouterr().err == ENDS[number][1]
    assert sys.is_whole  # type: ignore[attr-defined]


LAST_IMPORT = """
import importlib, os, signal, sys, time
from seedbed.cli import program

def run(arguments):
    importlib.import_module("last")
    return 0

program._run = run
code = program.main([])
time.sleep(1)  # until whatever is still to come has come
sys.exit(code)
"""


@pytest.mark.parametrize("number", ENDS)
def test_a_signal_in_a_command_s_last_import_ends_it_in_order(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "last.py").write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    done = subprocess.run(
        [sys.executable, "-c", LAST_IMPORT],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == ENDS[number]
