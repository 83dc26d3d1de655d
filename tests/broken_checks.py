"""A group of checks of which one ends its process, as a device that fails may."""

import os
import signal
import time
from collections.abc import Callable

from tools.gpu_check.result import Checks, NotRunError, Passed, StoppedError
from tools.gpu_check.rig import Rig


def checks(rig: Rig) -> Checks:
    """Return one check of each end."""

    def passes() -> Passed:
        return Passed("one and one is two", {"GB/s": 2.0})

    def fails() -> Passed:
        raise ValueError("the bits are\nothers")

    def is_not_run() -> Passed:
        raise NotRunError("abacus is not installed")

    def is_stopped() -> Passed:
        raise StoppedError(3, 7)

    def crashes() -> Passed:
        print("a last word")
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError

    def hangs() -> Passed:
        time.sleep(1000)
        raise AssertionError

    found: list[Callable[[], Passed]] = [passes, fails, is_not_run, is_stopped]
    last = hangs if "TEST_HANGS" in os.environ else crashes
    return {check.__name__: check for check in (*found, last)}
