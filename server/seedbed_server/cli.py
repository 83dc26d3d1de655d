"""seedbed-server: reads its settings and serves until it is told to stop."""

import argparse
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.spec.errors import SeedbedError
from seedbed_server.settings import Settings
from seedbed_server.settings.sources import (
    SettingError,
    add_flags,
    from_environment,
    from_flags,
    read_settings,
)

if TYPE_CHECKING:
    from seedbed_server.service.app import Server

# By name: run with -m, this module would log as __main__, outside the configured tree.
log = logging.getLogger("seedbed_server.cli")

# A second signal does not wait for streams; 128 + SIGTERM, as a shell reports a process that the
# signal ended.
FORCED_EXIT = 143
# A signal that comes just before the main thread begins to wait is handled only when the wait ends.
SIGNAL_POLL_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code."""
    settings, is_self_test = read_arguments(arguments, os.environ)
    # gRPC writes lines of its own about an address that it cannot have; ours says it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Before the imports, which take a second: PID 1 has no default for SIGTERM.
    stopped = _stop_on_signals()
    try:
        from seedbed_server.logs import configure_logging

        # What it needs is missed here, in one line.
        from seedbed_server.service import app  # noqa: F401
        from seedbed_server.service.workers import run_workers, worker_settings
    except ModuleNotFoundError as error:
        print(
            f"seedbed-server: {error.name} is missing: pip install 'seedbed[server]'",
            file=sys.stderr,
        )
        return 1
    configure = functools.partial(configure_logging, settings.log_level, settings.log_format)
    configure()
    if is_self_test:
        return _self_test(settings.device, settings.threads)
    try:
        each = worker_settings(settings, settings.workers)
        if len(each) > 1:
            return run_workers(
                each, serve, configure, stopped, metrics_listen=settings.metrics_listen
            )
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    return serve(each[0], stopped)


def serve(settings: Settings, stopped: threading.Event) -> int:
    """Serve until ``stopped`` is set or the server cannot go on; return the exit code."""
    from seedbed_server.service.app import Server

    failures: list[Exception] = []

    def fail(error: Exception) -> None:
        failures.append(error)
        stopped.set()

    try:
        server = Server(settings, on_failure=fail)
        for address in server.listen():
            log.info("listening", extra={"fields": {"address": address}})
        if server.metrics_address is not None:
            log.info("metrics", extra={"fields": {"address": server.metrics_address}})
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    _serve_in_background(server, fail)
    while not stopped.wait(SIGNAL_POLL_SECONDS):
        pass
    if failures:
        log.error(
            "%s",
            failures[0],
            exc_info=None if isinstance(failures[0], SeedbedError) else failures[0],
        )
        return 1
    log.info("stopping", extra={"fields": {"grace_seconds": settings.grace_seconds}})
    server.stop(settings.grace_seconds)
    _remove_sockets(settings.listen)
    log.info("stopped")
    return 0


def _serve_in_background(server: "Server", fail: Callable[[Exception], None]) -> None:
    """Start to serve, so that a signal need not wait for compilation."""

    def start() -> None:
        try:
            server.serve()
        except Exception as error:  # noqa: BLE001  # the main thread reports it
            fail(error)

    threading.Thread(target=start, name="seedbed-start", daemon=True).start()


def _self_test(device: str, threads: int | None) -> int:
    """Try every kernel on all golden vectors, print the results, and return the exit code."""
    from seedbed_server.devices import open_backend
    from seedbed_server.sampling.self_test import differing_vectors

    try:
        backend, _ = open_backend(device, threads)
        print(f"{backend.name}: {backend.device}")
        differing = differing_vectors(backend)
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    width = max(map(len, differing)) + 2
    for kernel, vectors in sorted(differing.items()):
        print(f"  {kernel:{width}}{'wrong: ' + ', '.join(vectors) if vectors else 'ok'}")
    return 1 if any(differing.values()) else 0


def read_arguments(
    arguments: Sequence[str] | None, environment: Mapping[str, str]
) -> tuple[Settings, bool]:
    """Return the settings, and whether only the self-test is wanted; exit with 2 on a bad one."""
    parser = argparse.ArgumentParser(
        prog="seedbed-server",
        description="Serves initialized tensors over gRPC (seedbed.v1.SeedbedService).",
        epilog="Each setting can also come from the environment: --threads from $SEEDBED_THREADS. "
        "A flag goes before its variable.",
    )
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="try every kernel of the device on all golden vectors, print the result, and end",
    )
    add_flags(parser)
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(from_environment(environment) | from_flags(options))
    except SettingError as error:
        parser.error(str(error))
    return settings, options.self_test


def _stop_on_signals() -> threading.Event:
    """Return an event that the first SIGTERM or SIGINT sets; the second one ends the process."""
    stopped = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        del number, frame
        if stopped.is_set():
            os._exit(FORCED_EXIT)
        stopped.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stopped


def _remove_sockets(addresses: Sequence[str]) -> None:
    for address in addresses:
        if address.startswith("unix://"):
            Path(address.removeprefix("unix://")).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
