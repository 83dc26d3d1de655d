"""The program: its commands, and how it prints a report or an error."""

import argparse
import logging
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TextIO

from seedbed.cli import (
    completion,
    describe,
    digest,
    example,
    fetch,
    info,
    inspect,
    listing,
    report,
    sample,
    verify,
    warmup,
)
from seedbed.cli.arguments import add_common_options
from seedbed.cli.parser import Parser
from seedbed.cli.result import Result
from seedbed.cli.signals import Terminated, signals_raise
from seedbed.cli.wording import in_options
from seedbed.errors import InvalidArgumentError, InvalidValueError, SeedbedError
from seedbed.reports.text import printable

FAILED = 1
BAD_ARGUMENT = 2
# As a shell reports a process that the signal ended: 128 and the signal's number.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
PIPE_CLOSED = 128 + signal.SIGPIPE

COMMANDS = (
    sample,
    fetch,
    describe,
    digest,
    verify,
    inspect,
    report,
    listing,
    example,
    info,
    warmup,
    completion,
)

# They ask no server.
LOCAL = (inspect, example, warmup, completion)

EPILOG = """\
examples:
  seedbed sample GlorotUniform --shape 1024,512 --seed 42 --plot glorot.png
  seedbed example gpt2-small > gpt2-small.yaml
  seedbed describe gpt2-small.yaml
  seedbed fetch gpt2-small.yaml -o gpt2.safetensors --target 127.0.0.1:50051
  seedbed verify gpt2.safetensors gpt2-small.yaml

exit codes: 0 done, 1 failed (or verify found a difference),
  2 wrong arguments, 130 interrupted, 143 terminated
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; each error is a line on standard error."""
    try:
        with signals_raise(), _warnings_shown():
            return _run(arguments)
    # The outermost place: nothing may leave a traceback.
    except BaseException as error:  # noqa: BLE001
        return _exit_code(error)


def _run(arguments: Sequence[str] | None) -> int:
    # gRPC writes lines of its own about a handshake that fails; ours says why in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    options = command_line().parse_args(arguments)
    if options.run is None:
        words = ", ".join(module.NAME for module in COMMANDS)
        raise InvalidValueError(
            f"COMMAND must be one of {words}. Received: nothing (see seedbed --help)"
        )
    result: Result = options.run(options)
    text = (result.as_json() if options.json else result.text) + "\n"
    if not result.on_stderr:
        _write(sys.stdout, text)
    elif sys.stderr is not None:  # what was asked for is on standard output
        _write(sys.stderr, text)
    if result.failure:
        _complain(result.failure)
        return FAILED
    return 0


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog="seedbed",
        description="Initialized tensors that are the same bits on every machine: "
        "see, fetch and check them.",
        epilog=EPILOG,
    )
    parser.add_argument(
        "--version", action="version", version=f"seedbed {metadata.version('seedbed')}"
    )
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(metavar="COMMAND")
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME, help=module.SUMMARY, description=module.DESCRIPTION
        )
        module.add_arguments(command)
        add_common_options(command, asks_server=module not in LOCAL)
        command.set_defaults(run=module.run)
    for command in (parser, *commands.choices.values()):
        command.elsewhere = _commands_by_option(commands.choices)
    return parser


def _commands_by_option(commands: Mapping[str, Parser]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, command in commands.items():
        for option in command.options():
            found.setdefault(option, []).append(name)
    return found


def _exit_code(error: BaseException) -> int:
    """Say what went wrong, and return the exit code for it."""
    if os.environ.get("SEEDBED_TRACEBACK"):  # for whoever mends a bug
        traceback.print_exception(error)
    match error:
        case SystemExit():  # --help and --version
            return _flushed(error.code if isinstance(error.code, int) else 0)
        case KeyboardInterrupt():
            _complain("interrupted")
            return INTERRUPTED
        case Terminated():
            _complain("terminated")
            return TERMINATED
        case BrokenPipeError():  # the reader, such as head, has what it wanted
            _discard_output()
            return PIPE_CLOSED
        case InvalidArgumentError():
            several = [each.message for each in error.violations]
            for message in several if len(several) > 1 else [str(error)]:
                _complain(message)
            return BAD_ARGUMENT
        case SeedbedError():
            _complain(str(error))
        case MemoryError():
            _complain(f"not enough memory: {error}".removesuffix(": "))
        case OSError():
            _discard_output()
            where = f"{error.filename}: " if error.filename else ""
            _complain(f"{where}{error.strerror or error}")
        case _:
            bug = f"internal error: {type(error).__name__}: {error}"
            _complain(f"{bug}; please report it with what SEEDBED_TRACEBACK=1 shows")
    return FAILED


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()
    return code


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise OSError("standard output is closed")
    encoding = stream.encoding or "utf-8"
    # A terminal that cannot show a character gets its escape.
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _complain(message: str, kind: str = "error") -> None:
    line = printable(in_options(" ".join(message.split())))
    with suppress(OSError):  # nobody may be left to read it
        _write(sys.stderr, f"seedbed: {kind}: {line}\n")


def _discard_output() -> None:
    """Discard what is still buffered.

    The interpreter would try to write it again at exit, and complain.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except AttributeError:
        pass  # closed from the start


class _Warnings(logging.Handler):
    """Shows what the SDK warns of, such as that it waits, as errors are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        _complain(record.getMessage(), "warning")


@contextmanager
def _warnings_shown() -> Iterator[None]:
    log, handler = logging.getLogger("seedbed"), _Warnings(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
