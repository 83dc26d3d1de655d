"""A process ends, although a signal comes at the moment in which one of its threads starts."""

import os
import signal
import subprocess
import sys
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from seedbed.interrupts.threads import Threads
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


def test_a_job_is_in_the_list_although_a_signal_came(monkeypatch: pytest.MonkeyPatch) -> None:
    submit = ThreadPoolExecutor.submit

    def interrupted(*arguments: Any) -> Any:
        job = submit(*arguments)
        os.kill(os.getpid(), signal.SIGINT)
        return job

    jobs: list[Future[int]] = []
    with Threads(1) as threads:
        monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            threads.submit_to(jobs, abs, -1)
        assert [job.result() for job in jobs] == [1]


def test_a_signal_as_a_thread_is_deleted_is_raised() -> None:
    threads = Threads(1)
    threads.submit(abs, -1).result()
    (thread,) = threads._threads

    def deleted(_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    kept = weakref.ref(thread, deleted)
    del thread
    with pytest.raises(KeyboardInterrupt):
        threads.shutdown()
    assert kept() is None
