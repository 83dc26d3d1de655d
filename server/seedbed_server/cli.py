"""seedbed-server: reads the command line, runs one server until it is told to stop."""

import argparse
import dataclasses
import functools
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from seedbed.spec.device_names import parse_device
from seedbed.spec.errors import SeedbedError
from seedbed.spec.info import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, Limits
from seedbed_server.settings import Settings

# By name: run with -m, this module would log as __main__, outside the configured tree.
log = logging.getLogger("seedbed_server.cli")

# A second signal does not wait for streams; 128 + SIGTERM, as a shell reports a process that the
# signal ended.
FORCED_EXIT = 143
LISTEN_VARIABLE = "SEEDBED_LISTEN"
# gRPC keeps the size of a message in 32 bits, the protocol all other limits in 64.
LARGEST_MESSAGE_BYTES = 2**31 - 1
LARGEST_LIMIT = 2**63 - 1
MAX_GRACE_SECONDS = 86_400.0
MAX_WORKERS = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.listen and os.environ.get(LISTEN_VARIABLE):
        options.listen = _listen_from_environment(parser)
    # gRPC writes lines of its own about an address that it cannot have; ours says it in one.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Before the imports, which take a second: PID 1 has no default for SIGTERM.
    stopped = _stop_on_signals()
    try:
        from seedbed_server.logs import configure_logging

        # What it needs is missed here, in one line.
        from seedbed_server.service.running import serve
        from seedbed_server.service.workers import run_workers, worker_settings
    except ModuleNotFoundError as error:
        print(
            f"seedbed-server: {error.name} is missing: pip install 'seedbed[server]'",
            file=sys.stderr,
        )
        return 1
    configure = functools.partial(configure_logging, options.log_level, options.log_format)
    configure()
    if options.self_test:
        return _self_test(options.device, options.threads)
    try:
        each = worker_settings(_settings(options), options.workers)
        if len(each) > 1:
            return run_workers(
                each, serve, configure, stopped, metrics_listen=options.metrics_listen
            )
    except SeedbedError as error:
        log.error("%s", error)
        return 1
    return serve(each[0], stopped)


def _self_test(device: str, threads: int | None) -> int:
    """Try every kernel of a device on all golden vectors, print what came out, and return the exit code."""
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


def _parser() -> argparse.ArgumentParser:
    defaults = Settings()
    parser = argparse.ArgumentParser(
        prog="seedbed-server",
        description="Serves initialized tensors over gRPC (seedbed.v1.SeedbedService).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--listen",
        action="append",
        type=_address,
        metavar="ADDRESS",
        help="host:port (port 0: a free one) or unix:///path; may be given several times. "
        f"$SEEDBED_LISTEN (separated by commas) or {defaults.listen[0]} without it",
    )
    parser.add_argument(
        "--device",
        type=_device,
        default=defaults.device,
        help="what samples: auto (a GPU if one works, else the CPU), cpu, gpu (every GPU, a process for each) or gpu:N",
    )
    parser.add_argument(
        "--threads", type=_positive, help="threads that sample (default: one for each processor)"
    )
    parser.add_argument(
        "--workers",
        type=lambda text: _positive(text, MAX_WORKERS),
        help="processes that share the ports (default: 1, with --device gpu one for each GPU)",
    )
    parser.add_argument(
        "--self-test", action="store_true", help="try every kernel of the device, say so, and end"
    )
    parser.add_argument(
        "--chunk-bytes",
        type=_chunk_bytes,
        default=defaults.default_chunk_bytes,
        help="bytes of data in a chunk where the client asks for nothing else",
    )
    parser.add_argument(
        "--window-bytes",
        type=_window_bytes,
        default=defaults.window_bytes,
        help="how much of what was sent is kept for other clients that read the same tensors at the time",
    )
    parser.add_argument(
        "--shared-memory-dir",
        type=Path,
        metavar="DIR",
        help="an existing folder, best on a tmpfs, in which clients of a Unix socket get their tensors (default: none)",
    )
    parser.add_argument(
        "--shared-memory-mode",
        type=_file_mode,
        default=defaults.shared_memory_mode,
        metavar="MODE",
        help="who may read them, octal: 600 this user, 640 its group as well, 644 everyone",
    )
    parser.add_argument(
        "--max-shared-memory-bytes",
        type=_positive,
        default=defaults.max_shared_memory_bytes,
        help="how much they may hold at a time; what is beyond is sent by the socket",
    )
    parser.add_argument(
        "--shared-memory-idle-seconds",
        type=_seconds,
        default=defaults.shared_memory_idle_seconds,
        help="how long what no call uses is kept, for clients that come late, and as memory for other tensors",
    )
    parser.add_argument(
        "--metrics-listen",
        type=_tcp_address,
        metavar="ADDRESS",
        help="host:port at which Prometheus can read metrics over HTTP, those of all workers (default: none)",
    )
    parser.add_argument(
        "--grace-seconds",
        type=_seconds,
        default=defaults.grace_seconds,
        help="how long streams may go on after SIGTERM; a second signal ends them at once",
    )
    parser.add_argument(
        "--reflection",
        action=argparse.BooleanOptionalAction,
        default=defaults.reflection,
        help="let clients ask for the schema",
    )
    for field in dataclasses.fields(Limits):
        if field.name in ("max_rank", "max_name_bytes"):  # set by the contract, not by the operator
            continue
        flag = "--" + field.name.replace("_", "-")
        kind = {"max_chunk_bytes": _chunk_bytes, "max_request_message_bytes": _message_bytes}.get(
            field.name, _positive
        )
        parser.add_argument(
            flag, type=kind, default=field.default, help="a limit; GetServerInfo reports it"
        )
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help=" "
    )
    parser.add_argument("--log-format", choices=("text", "json"), default="text", help=" ")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    listen = options.listen
    limits = {
        f.name: getattr(options, f.name)
        for f in dataclasses.fields(Limits)
        if hasattr(options, f.name)
    }
    return Settings(
        listen=tuple(listen) if listen else Settings().listen,
        device=options.device,
        threads=options.threads,
        default_chunk_bytes=options.chunk_bytes,
        window_bytes=options.window_bytes,
        shared_memory_dir=options.shared_memory_dir,
        shared_memory_mode=options.shared_memory_mode,
        max_shared_memory_bytes=options.max_shared_memory_bytes,
        metrics_listen=options.metrics_listen,
        shared_memory_idle_seconds=options.shared_memory_idle_seconds,
        grace_seconds=options.grace_seconds,
        reflection=options.reflection,
        limits=Limits(**limits),
    )


def _listen_from_environment(parser: argparse.ArgumentParser) -> list[str]:
    try:
        return [_address(each.strip()) for each in os.environ[LISTEN_VARIABLE].split(",")]
    except argparse.ArgumentTypeError as error:
        parser.error(f"${LISTEN_VARIABLE} {error}")


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


def _address(text: str) -> str:
    if re.fullmatch(r"unix:///.+", text):
        return text
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+):([0-9]{1,5})", text)
    if match is None or int(match.group(2)) > 65535:
        raise argparse.ArgumentTypeError(
            f"must be host:port, [ipv6]:port or unix:///path. Received: {text!r}"
        )
    return text


def _tcp_address(text: str) -> str:
    if text.startswith("unix:"):
        raise argparse.ArgumentTypeError(f"must be host:port or [ipv6]:port. Received: {text!r}")
    return _address(text)


def _device(text: str) -> str:
    if text == "auto":
        return text
    try:
        parse_device("--device", text)
    except SeedbedError:
        raise argparse.ArgumentTypeError(
            f"must be auto, cpu, gpu or gpu:N. Received: {text!r}"
        ) from None
    return text


def _positive(text: str, largest: int = LARGEST_LIMIT) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 1 <= int(text) <= largest:
        raise argparse.ArgumentTypeError(
            f"must be an integer from 1 to {largest}. Received: {text!r}"
        )
    return int(text)


def _window_bytes(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _file_mode(text: str) -> int:
    modes = {"600": 0o600, "640": 0o640, "644": 0o644}
    if text not in modes:
        raise argparse.ArgumentTypeError(f"must be 600, 640 or 644. Received: {text!r}")
    return modes[text]


def _message_bytes(text: str) -> int:
    return _positive(text, LARGEST_MESSAGE_BYTES)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_GRACE_SECONDS:
        raise argparse.ArgumentTypeError(
            f"must be from 0 to {MAX_GRACE_SECONDS:g}. Received: {text!r}"
        )
    return seconds


def _chunk_bytes(text: str) -> int:
    number = _positive(text)
    if not MIN_CHUNK_BYTES <= number <= MAX_CHUNK_BYTES:
        allowed = f"must be from {MIN_CHUNK_BYTES} to {MAX_CHUNK_BYTES}"
        raise argparse.ArgumentTypeError(f"{allowed}. Received: {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
