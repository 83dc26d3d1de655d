"""seedbed-server: reads its settings and serves until it is told to stop."""

import argparse
import functools
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from seedbed.spec.errors import SeedbedError
from seedbed_server.security.identities import NAME_WORDS, UNIX, is_name
from seedbed_server.security.tokens import new_token
from seedbed_server.settings import Settings
from seedbed_server.settings.sources import (
    SettingError,
    add_flags,
    from_environment,
    from_flags,
    read_settings,
)
from seedbed_server.stopping import FORCED_EXIT, StopRequest

# By name: run with -m, this module would log as __main__, outside the configured tree.
log = logging.getLogger("seedbed_server.cli")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code."""
    settings, is_self_test = read_arguments(arguments, os.environ)
    # gRPC writes lines of its own about an address that it cannot have; ours says it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Before the imports, which take a second: PID 1 has no default for SIGTERM.
    stop = _stop_on_signals()
    try:
        from seedbed_server.logs import configure_logging
        from seedbed_server.security.listeners import check_transport_security

        # What it needs is missed here, in one line.
        from seedbed_server.service.connections import allow_many_connections
        from seedbed_server.service.running import serve
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
    allow_many_connections()
    try:
        check_transport_security(settings)
        each = worker_settings(settings, settings.workers)
        if len(each) > 1:
            return run_workers(each, serve, configure, stop, metrics_listen=settings.metrics_listen)
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    return serve(each[0], stop)


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
    parser.add_argument(
        "--new-token",
        action=NewToken,
        metavar="IDENTITY",
        help="print a fresh token for an identity to standard output, once, and the line for the "
        "file of --tokens to standard error",
    )
    add_flags(parser)
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(from_environment(environment) | from_flags(options))
    except SettingError as error:
        parser.error(str(error))
    return settings, options.self_test


class NewToken(argparse.Action):
    """Prints a token and its line, and ends the program, as argparse's own ``--version`` does."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Print both; the line's explanation is a comment of the file's, for ``2>> tokens``."""
        del namespace, option_string
        identity = str(values)
        if not is_name(identity):
            parser.error(f"IDENTITY must be {NAME_WORDS}, and not {UNIX}. Received: {identity!r}")
        token, line = new_token(identity)
        print(token)
        print(
            f"# The line for the file of --tokens; standard output has the token.\n{line}",
            file=sys.stderr,
        )
        parser.exit()


def _stop_on_signals() -> StopRequest:
    """Return what the first SIGTERM or SIGINT asks for; the second one ends the process."""
    stop = StopRequest()

    def on_signal(number: int, frame: object) -> None:
        del frame
        if stop.is_made:
            os._exit(FORCED_EXIT)
        stop.make(hurried=number == signal.SIGINT)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


if __name__ == "__main__":
    sys.exit(main())
