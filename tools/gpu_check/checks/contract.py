"""The contract suite on the device, and what only a device can get wrong; by pytest."""

from functools import partial
from pathlib import Path

from tools.gpu_check.result import Checks, NotRunError, Passed, StoppedError
from tools.gpu_check.rig import Rig

CLASSES = {
    "backend suite": "TestBackend",
    "streams": "TestStreams",
    "slot reuse": "TestSlotReuse",
    "cancellation": "TestCancellation",
    "out of memory": "TestOutOfMemory",
    "several workers": "TestSeveralWorkers",
}
FILE = Path(__file__).parents[1] / "device_tests.py"
# The project's settings are for its own pytest; warnings of the libraries here are none of ours.
SETTINGS = ("addopts=", "minversion=0", "filterwarnings=ignore")


def checks(rig: Rig) -> Checks:
    """Return a check for each class of tests."""
    return {name: partial(run_tests, rig, class_name) for name, class_name in CLASSES.items()}


def run_tests(rig: Rig, class_name: str) -> Passed:
    """Run a class of tests, or as much of it as there is time for."""
    try:
        import pytest
    except ModuleNotFoundError:
        raise NotRunError("pytest is not installed") from None

    class Recorder:
        """Lends the tests the device, and counts them."""

        def __init__(self) -> None:
            self.collected = self.passed = 0
            self.failures: list[str] = []

        @pytest.fixture(scope="session")
        def rig(self) -> Rig:
            return rig

        def pytest_collection_finish(self, session: pytest.Session) -> None:
            self.collected = len(session.items)

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                said = getattr(report.longrepr, "reprcrash", None)
                self.failures.append(
                    f"{report.nodeid.split('::', 1)[-1]}: {said or report.longrepr}"
                )
            elif report.when == "call" and report.passed:
                self.passed += 1

        def pytest_runtest_protocol(self, item: pytest.Item) -> None:
            if rig.seconds_left < 0:
                item.session.shouldstop = "its time is up"

    recorder = Recorder()
    arguments = [f"{FILE}::{class_name}", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    arguments += [part for setting in SETTINGS for part in ("-o", setting)]
    code = pytest.main(arguments, plugins=[recorder])
    count = f"{len(recorder.failures)} of {recorder.collected} tests failed"
    assert not recorder.failures, f"{count}: {'; '.join(recorder.failures[:3])}"
    if recorder.passed < recorder.collected:
        raise StoppedError(recorder.passed, recorder.collected)
    assert recorder.collected, f"no tests were found; pytest ended with {code}"
    return Passed(f"{recorder.passed} tests")
