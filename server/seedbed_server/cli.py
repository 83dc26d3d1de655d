"""seedbed-server: reads its settings and serves until it is told to stop."""

import argparse
import functools
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from seedbed.spec.errors import SeedbedError
from seedbed.spec.suggestions import did_you_mean
from seedbed_server.security.identities import NAME_WORDS, UNIX, is_name
from seedbed_server.security.tokens import new_token
from seedbed_server.settings import Settings
from seedbed_server.settings.sources import (
    CONFIG_VARIABLE,
    SettingsError,
    add_flags,
    read_settings,
)
from seedbed_server.settings.written import written
from seedbed_server.stopping import StopRequest

log = logging.getLogger(__name__)

TASKS = {
    "print-config": "print every setting, as a file that --config reads, with where it came "
    "from, and end",
    "check-config": "read all that the server would read at its start, say what is wrong, and end",
    "self-test": "try every kernel of the device on all golden vectors, print the result, and end",
}
"""What else than serving can be asked for."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that was read."""

    settings: Settings
    origins: Mapping[str, str]
    """Where the settings that were given came from, by name."""
    task: str | None
    """One of ``TASKS``; None is to serve."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code."""
    command = read_arguments(arguments, os.environ)
    settings = command.settings
    if command.task == "print-config":
        print(written(settings, command.origins), end="")
        return 0
    # gRPC writes lines of its own about an address that it cannot have; ours says it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # A task ends at once.
    stop = _stop_on_signals() if command.task is None else StopRequest()
    try:
        from seedbed_server.logs import configure_logging

        # What it needs is missed here, in one line.
        from seedbed_server.service.checks import problems
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
    if command.task == "check-config":
        return _check(problems(settings))
    if command.task == "self-test":
        return _self_test(settings.device, settings.threads)
    if found := problems(settings):
        for problem in found:
            log.error("%s", problem)
        return 1
    allow_many_connections()
    try:
        each = worker_settings(settings)
        if len(each) > 1:
            return run_workers(each, serve, configure, stop, admin_listen=settings.admin_listen)
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    return serve(each[0], stop)


def _check(problems: Sequence[str]) -> int:
    """Print what would keep the server from starting, and return the exit code."""
    if problems:
        return _refused(problems)
    print("the configuration is good")
    return 0


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


def read_arguments(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Command:
    """Return what is wanted; exit with 2 where settings are wrong, and say what is."""
    parser = Parser(
        prog="seedbed-server",
        usage="%(prog)s [option ...]",
        description="Serves initialized tensors over gRPC (seedbed.v1.SeedbedService).",
        allow_abbrev=False,
    )
    version = metadata.version("seedbed")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version}")
    parser.add_argument(
        "--config", metavar="FILE", help=f"a YAML file of settings (${CONFIG_VARIABLE})"
    )
    tasks = parser.add_mutually_exclusive_group()
    for task, description in TASKS.items():
        tasks.add_argument(
            f"--{task}", dest="task", action="store_const", const=task, help=description
        )
    tasks.add_argument(
        "--new-token",
        action=NewToken,
        metavar="IDENTITY",
        help="print a fresh token for an identity to standard output, once, and the line for the "
        "file of --tokens to standard error",
    )
    add_flags(
        parser.add_argument_group(
            "settings",
            "Each can also come from the environment, --threads from $SEEDBED_THREADS, or from "
            "the file, as `threads: 4`. A flag goes before its variable, and both before the file.",
        )
    )
    options = parser.parse_args(arguments)
    try:
        settings, origins = read_settings(options, environment)
    except SettingsError as error:
        sys.exit(_refused(error.problems))
    return Command(settings, origins, options.task)


def _refused(problems: Sequence[str]) -> int:
    """Print what is wrong with the settings, and return the exit code."""
    for problem in problems:
        print(f"seedbed-server: error: {problem}", file=sys.stderr)
    return 2


class Parser(argparse.ArgumentParser):
    """A parser that says which option was perhaps meant."""

    def parse_known_args(  # type: ignore[override]  # one form of argparse's many
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the options; exit with 2 where one is not known."""
        args = sys.argv[1:] if args is None else args
        known = self._option_string_actions
        for argument in args:
            option = argument.partition("=")[0]
            # As argparse has it: what contains a blank is a value.
            if option.startswith("--") and " " not in argument and option not in known:
                self.error(f"there is no option {option}{did_you_mean(option, known)}")
        return super().parse_known_args(args, namespace)


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
    """Return what the first SIGTERM, SIGINT or SIGHUP asks for; the second ends the process."""
    stop = StopRequest()

    def on_signal(number: int, frame: object) -> None:
        del frame
        if stop.is_made:
            stop.force()
        stop.make(hurried=number == signal.SIGINT)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    # A terminal that closes. What was started by nohup has been told to ignore it.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, on_signal)
    return stop
