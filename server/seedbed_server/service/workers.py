"""Several processes as one server, on the same ports.

Each has a device, or some of the processor's threads. The kernel gives each new connection to one
of them (SO_REUSEPORT). They are spawned, never forked: gRPC and CUDA do not survive a fork. When
one of them ends, for whatever reason, all end, so that whoever watches the server sees it.
"""

import functools
import logging
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from seedbed.spec.errors import SeedbedError
from seedbed_server.admin.endpoint import AdminEndpoint, shown_by_a_thread
from seedbed_server.backends.cuda import cuda_device_count
from seedbed_server.backends.processor import available_threads
from seedbed_server.security.listeners import cannot_listen, socket_addresses
from seedbed_server.service.metrics import forget_process, share_metrics, shared_registry
from seedbed_server.settings import Settings
from seedbed_server.stopping import FORCED_EXIT, StopRequest

log = logging.getLogger(__name__)

# How often the supervisor looks whether it shall stop.
POLL_SECONDS = 0.2
# Beyond the grace, for the workers' own last steps: words of gRPC, spans, and lines of the log.
LAST_STEPS_SECONDS = 10.0

# What tells a worker to stop, and what tells it that nobody needs time to notice.
STOP, STOP_HURRIED = signal.SIGTERM, signal.SIGUSR1
# What a worker handles; blocked until it does, as importing takes a second.
HANDLED = (signal.SIGINT, signal.SIGHUP, STOP, STOP_HURRIED)

Serve = Callable[[Settings, StopRequest], int]
"""Serves until it is asked to stop, and returns an exit code.

Importable by its name: spawned processes look it up.
"""


class WorkersError(SeedbedError):
    """Settings that several processes cannot share."""


def worker_settings(settings: Settings) -> list[Settings]:
    """Return the settings of each process, of those of the server as a whole.

    Raises:
        WorkersError: if they cannot share what they listen on, or there are fewer GPUs.
        NoDeviceError: if the device is ``gpu`` and there is none.
    """
    workers = settings.workers
    devices = [settings.device] * (workers or 1)
    if settings.device == "gpu":
        count = cuda_device_count()
        if workers is not None and workers > count:
            raise WorkersError(
                f"--workers must be at most the number of GPUs, {count}. Received: {workers}"
            )
        devices = [f"gpu:{index}" for index in range(workers or count)]
    if len(devices) == 1:
        return [replace(settings, device=devices[0])]
    if any(address.startswith("unix:") for address in settings.listen):
        raise WorkersError(
            "several workers cannot share a Unix socket: listen on host:port, or use one worker"
        )
    threads = settings.threads or max(1, available_threads() // len(devices))
    # The supervisor has the admin endpoint of all of them.
    shared = replace(
        settings, threads=threads, workers=len(devices), share_port=True, admin_listen=None
    )
    return [replace(shared, device=device) for device in devices]


def run_workers(
    settings: Sequence[Settings],
    serve: Serve,
    configure: Callable[[], None],
    stop: StopRequest,
    *,
    admin_listen: str | None = None,
) -> int:
    """Run a process for each settings; return the exit code.

    They run until asked to stop, or until one of them ends.

    Args:
        settings: of each process; they listen on the same addresses.
        serve: what each does.
        configure: sets up logging in each.
        stop: made when the server shall end.
        admin_listen: where the admin endpoint of all of them is, ``host:port``; None is nowhere.

    Raises:
        ListenError: if an address cannot be had.
        AdminListenError: likewise.
    """
    pids = {"supervisor": os.getpid()}
    with _shared_metrics(admin_listen, len(settings), pids):
        return _run(settings, serve, configure, stop, pids)


@contextmanager
def _shared_metrics(address: str | None, workers: int, pids: Mapping[str, int]) -> Iterator[None]:
    if address is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="seedbed-metrics-") as folder:
        share_metrics(folder)
        endpoint = AdminEndpoint(address, shared_registry(folder), expected=workers, pids=pids)
        with shown_by_a_thread(endpoint):
            log.info("admin", extra={"fields": {"address": endpoint.address}})
            yield


def _run(
    settings: Sequence[Settings],
    serve: Serve,
    configure: Callable[[], None],
    stop: StopRequest,
    pids: dict[str, int],
) -> int:
    holders, addresses = _reserve(settings[0].listen)
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(
            target=_work,
            args=(replace(each, listen=addresses), serve, configure),
            name=f"seedbed-worker-{index}",
        )
        for index, each in enumerate(settings)
    ]
    # They may not have been told to stop by then, and would take their time.
    stop.end_others = functools.partial(_kill, workers)
    try:
        for worker in workers:
            with _signals_blocked():
                worker.start()
            assert worker.pid is not None
            pids[worker.name.removeprefix("seedbed-")] = worker.pid
        while not stop.is_made and not _ended(workers, POLL_SECONDS):
            pass
        failed = not stop.is_made
        if failed:
            log.error("a worker ended; the others are told to stop")
        waits = settings[0].lame_duck_seconds + settings[0].grace_seconds + LAST_STEPS_SECONDS
        _end(workers, STOP_HURRIED if stop.is_hurried else STOP, waits)
        return 1 if failed or any(worker.exitcode for worker in workers) else 0
    finally:
        _kill(workers)
        holders.close()


def _kill(workers: Sequence[BaseProcess]) -> None:
    """End those that have begun and not ended; also called by a signal's handler."""
    for worker in workers:
        if worker.pid is not None:
            worker.kill()


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Let processes that are started in the block begin with signals that wait for a handler."""
    resource_tracker.ensure_running()  # its own start unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(workers: Sequence[BaseProcess], number: signal.Signals, timeout_seconds: float) -> None:
    for worker in workers:
        if worker.pid is not None and worker.is_alive():
            os.kill(worker.pid, number)
    deadline = time.monotonic() + timeout_seconds
    left = [worker for worker in workers if worker.exitcode is None]
    while left and time.monotonic() < deadline:
        ended = _ended(left, deadline - time.monotonic())
        left = [worker for worker in left if worker not in ended]


def _ended(workers: Sequence[BaseProcess], timeout_seconds: float) -> list[BaseProcess]:
    """Wait until some of the workers have ended; return them, counted as serving no more."""
    ready = wait([each.sentinel for each in workers], timeout_seconds)
    ended = [worker for worker in workers if worker.sentinel in ready]
    for worker in ended:
        # The sentinel tells that its files are closed, which is a moment before it has ended.
        worker.join(LAST_STEPS_SECONDS)
        assert worker.pid is not None
        forget_process(worker.pid)
    return ended


def _work(settings: Settings, serve: Serve, configure: Callable[[], None]) -> None:
    """Be a worker: serve until the supervisor says so, or is gone."""
    stop = StopRequest()

    def on_signal(number: int, frame: object) -> None:
        del frame
        stop.make(hurried=number == STOP_HURRIED)

    # A terminal sends its interrupt, and that it closes, to all processes; only the supervisor
    # heeds it, and tells the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(STOP, on_signal)
    signal.signal(STOP_HURRIED, on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        if stop.is_made:  # the supervisor was told twice
            os._exit(FORCED_EXIT)
        stop.make()

    threading.Thread(target=watch, name="seedbed-watch", daemon=True).start()
    configure()
    raise SystemExit(serve(settings, stop))


def _reserve(addresses: Sequence[str]) -> tuple[ExitStack, tuple[str, ...]]:
    """Return what reserves the workers' addresses, without listening, until it is closed.

    The addresses come with it, their ports resolved.
    """
    resolved = []
    with ExitStack() as holders:
        for address in addresses:
            family, where = socket_addresses(address)[0]
            holder = holders.enter_context(socket.socket(family, socket.SOCK_STREAM))
            try:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                holder.bind(where)
            except OSError as error:
                raise cannot_listen(address, error) from None
            resolved.append(f"{address.rpartition(':')[0]}:{holder.getsockname()[1]}")
        return holders.pop_all(), tuple(resolved)
