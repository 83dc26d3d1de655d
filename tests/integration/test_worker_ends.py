"""A worker's end as its supervisor sees it: files first, the process a moment later."""

import functools
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from seedbed_server.logs import configure_logging
from seedbed_server.service.metrics import SHARED_FOLDER_VARIABLE, Metrics, shared_registry
from seedbed_server.service.workers import run_workers, worker_settings
from seedbed_server.settings import Settings
from seedbed_server.stopping import StopRequest

SEEN_VARIABLE = "SEEDBED_TEST_SEEN"
# Between a process's last file and its end; the system needs milliseconds for a large one.
ENDING_SECONDS = 1.0


def end_slowly_or_look(settings: Settings, stop: StopRequest) -> int:
    """Be the worker that ends, or the one that writes down how many serve when it is told to."""
    del settings
    metrics = Metrics("0")
    metrics.serving("seedbed-1", backend="cpu", device="cpu", threads=1)
    if multiprocessing.current_process().name == "seedbed-worker-0":
        os.closerange(3, 1024)
        time.sleep(ENDING_SECONDS)
        os._exit(1)
    while not stop.is_made:  # signals come to this thread, which may wait for no lock of theirs
        time.sleep(0.01)
    metrics.not_serving()
    registry = shared_registry(os.environ[SHARED_FOLDER_VARIABLE])
    Path(os.environ[SEEN_VARIABLE]).write_text(str(registry.get_sample_value("seedbed_serving")))
    return 0


def test_a_worker_that_closed_its_files_counts_no_more_when_the_others_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_FOLDER_VARIABLE, "")  # the server's end leaves it set
    monkeypatch.setenv(SEEN_VARIABLE, str(tmp_path / "seen"))
    settings = Settings(device="cpu", workers=2, listen=("127.0.0.1:0",))
    code = run_workers(
        worker_settings(settings),
        end_slowly_or_look,
        functools.partial(configure_logging, "info", "text"),
        StopRequest(),
        admin_listen="127.0.0.1:0",
    )
    assert code == 1
    assert (tmp_path / "seen").read_text() == "0.0"
