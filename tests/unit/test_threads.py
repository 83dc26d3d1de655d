"""A process ends, although a signal comes at the moment in which one of its threads starts."""

import signal
import subprocess
import sys

import pytest

from tests.integration.test_interrupts import END_SECONDS

# A thread's start waits for an Event, which is when a signal is most likely to come.
SIGNALLED = """
import os, signal, threading
signal.signal(signal.SIGTERM, signal.default_int_handler)
wait = threading.Event.wait
def signalled(event, timeout=None):
    os.kill(os.getpid(), {number})
    return wait(event, timeout)
threading.Event.wait = signalled
"""
POOL = """
from seedbed.interrupts.threads import Threads
Threads(2).submit(print, "called")
"""
ENGINE = """
import seedbed as sb
spec = sb.TensorSpec("x", (2048, 1024), "float32", "random_normal", 1)
sb.connect("embedded:").sample(spec)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("program", [POOL, ENGINE], ids=["pool", "engine"])
def test_a_signal_while_a_thread_starts_ends_the_process(
    program: str, number: signal.Signals
) -> None:
    script = SIGNALLED.format(number=int(number)) + program
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=END_SECONDS, check=False)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
