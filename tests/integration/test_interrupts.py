"""Ctrl-C at any moment ends `seedbed` without a traceback."""

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["seedbed"]
# What an installer writes for the entry point, and a line as soon as so many signals have handlers:
# Python's own first steps are before all that a program can catch.
SCRIPT = """
import signal, sys
from {module} import {function}

handle, left = signal.signal, {signals}

def handle_and_tell(number, handler):
    global left
    previous, left = handle(number, handler), left - 1
    if not left:
        print("begun", file=sys.stderr, flush=True)
    return previous

signal.signal = handle_and_tell
sys.argv[0] = "seedbed"
sys.exit({function}())
"""
# Importing takes half a second of a free processor, and sampling begins then.
MOMENTS = [0.03 + 0.09 * step for step in range(14)]
END_SECONDS = 120


def started(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Return the program, as soon as it handles Ctrl-C."""
    module, function = ENTRY.split(":")
    script = SCRIPT.format(module=module, function=function, signals=1)
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SEEDBED_TARGET": "embedded:", **variables},
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    return process


@pytest.mark.parametrize("moment", MOMENTS, ids="{:.2f}s".format)
def test_no_moment_of_a_start_has_a_traceback(moment: float, tmp_path: Path) -> None:
    # Without a cache, kernels are compiled: LLVM calls Python, and would swallow the interrupt.
    process = started(
        "sample", "RandomNormal", "--shape", "4000,4000", SEEDBED_KERNEL_CACHE_DIR=str(tmp_path)
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=END_SECONDS)
    assert (process.returncode, out, error) == (130, "", "seedbed: error: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_thread_that_waits_for_ever_does_not_keep_the_program(number: signal.Signals) -> None:
    script = f"""
import os, threading, seedbed_main
from seedbed.cli import listing
def run(options):
    threading.Thread(target=threading.Event().wait).start()
    os.kill(os.getpid(), {int(number)})
listing.run = run
seedbed_main.main()
"""
    command = [sys.executable, "-c", script, "list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=END_SECONDS, check=False)
    word = {130: "interrupted", 143: "terminated"}[128 + number]
    assert (done.returncode, done.stderr) == (128 + number, f"seedbed: error: {word}\n")


def test_an_interrupt_after_the_end_has_no_traceback_either() -> None:
    for moment in (0.2, 0.4, 0.6, 0.8, 1.0):
        process = started("list")
        time.sleep(moment)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=END_SECONDS)
        # A process without handlers left dies of the signal, which shells call 130 as well.
        assert process.returncode in {0, 130, -signal.SIGINT}
        assert error in {"", "seedbed: error: interrupted\n"}


def test_a_program_that_is_to_ignore_interrupts_does() -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' INT; exec \"$0\" \"$@\"", sys.executable, "-c",
         SCRIPT.format(module="seedbed_main", function="main", signals=1), "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=END_SECONDS)
    assert (process.returncode, error) == (0, "")
    assert "GlorotUniform" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("arguments", [("--listen", "127.0.0.1:0"), ("--self-test",)])
def test_a_server_that_still_imports_ends_without_a_word(
    number: signal.Signals, arguments: tuple[str, ...]
) -> None:
    script = SCRIPT.format(module="seedbed_server_main", function="main", signals=2)
    for moment in (0.02, 0.1, 0.2, 0.3):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        assert process.stderr.readline() == "begun\n"
        time.sleep(moment)
        process.send_signal(number)
        _, error = process.communicate(timeout=END_SECONDS)
        # On a machine that is quick it may serve already, and ends in order.
        assert process.returncode in (0, 128 + number)
        assert "Traceback" not in error
