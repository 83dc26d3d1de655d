"""Runs one group's checks in a process of their own, and writes a line of JSON for each as it ends.

python -m tools.gpu_check.child GROUP MODULE RESULTS SECONDS DEVICE [--rehearse]
"""

import argparse
import importlib
import json
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tools.gpu_check.result import NO_DEVICE, NotRunError, Passed, Result, Status, StoppedError

if TYPE_CHECKING:
    from tools.gpu_check.rig import Rig


NOTHING = Passed("")
# A line shall stay one; the traceback has the rest.
DETAIL_CHARACTERS = 500


def main() -> None:
    """Run a group; what ends it before its first check is one result without a name."""
    options = _parser().parse_args()
    with options.results.open("a", encoding="utf-8", buffering=1) as results:
        _write(results, _attempt(options.group, "", lambda: _run(options, results)))


def _run(options: argparse.Namespace, results: TextIO) -> Passed:
    # What it imports may be missing, which is this group's failure and no other's.
    from seedbed_server.backends.cuda import cuda_device_count
    from tools.gpu_check.rig import Rig

    rig = Rig(time.monotonic() + options.seconds, options.device, options.rehearse)
    if cuda_device_count() == 0:
        raise NotRunError(f"{NO_DEVICE}: there is a driver, but no device")
    with rig.stack:
        checks = importlib.import_module(options.module).checks(rig)
        for name, check in checks.items():
            _write(results, _attempt(options.group, name, partial(_in_time, rig, check)))
    return NOTHING


def _in_time(rig: "Rig", check: Callable[[], Passed]) -> Passed:
    if rig.seconds_left < 0:
        raise StoppedError(0, 1)
    return check()


def _attempt(group: str, name: str, check: Callable[[], Passed]) -> Result:
    """Return what came of a check, whatever it raised."""
    began = time.monotonic()

    def result(status: Status, detail: str, trace: str = "", passed: Passed = NOTHING) -> Result:
        line = " ".join(detail.split())[:DETAIL_CHARACTERS]
        seconds = time.monotonic() - began
        return Result(group, name, status, line, seconds, dict(passed.figures), trace)

    try:
        passed = check()
        return result("passed", passed.detail, passed=passed)
    except NotRunError as error:
        return result("not run", str(error))
    except StoppedError as error:
        return result("stopped", str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is the result
        # By its name, as what defines it may not be importable here.
        if type(error).__name__ == "NoDeviceError":
            return result("not run", f"{NO_DEVICE}: {error}")
        return result("failed", f"{type(error).__name__}: {error}", traceback.format_exc())


def _write(results: TextIO, result: Result) -> None:
    results.write(json.dumps(result.as_json()) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.gpu_check.child")
    parser.add_argument("group")
    parser.add_argument("module")
    parser.add_argument("results", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("device", type=int)
    parser.add_argument("--rehearse", action="store_true")
    return parser


if __name__ == "__main__":
    main()
