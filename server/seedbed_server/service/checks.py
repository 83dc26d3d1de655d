"""What would keep a server from starting, found without starting one."""

from collections.abc import Callable

from seedbed.spec.errors import SeedbedError
from seedbed_server.security.file_modes import warn_if_readable
from seedbed_server.security.listeners import check_transport_security
from seedbed_server.service.authentication import Authentication
from seedbed_server.service.tracing import check_installed
from seedbed_server.service.workers import worker_settings
from seedbed_server.settings import Settings
from seedbed_server.streams.inflight import InflightBytes
from seedbed_server.streams.segment_folder import check_directory


def problems(settings: Settings) -> list[str]:
    """Return all that is wrong with settings, or with the files that they name."""
    found = []
    for check in CHECKS:
        try:
            check(settings)
        except SeedbedError as error:
            found.append(str(error))
    return found


def _inflight_bytes(settings: Settings) -> None:
    InflightBytes(settings.max_inflight_bytes, settings.max_concurrent_streams)


def _callers(settings: Settings) -> None:
    Authentication(settings)
    if settings.tokens is not None:
        warn_if_readable(settings.tokens)


def _shared_memory(settings: Settings) -> None:
    if settings.shared_memory_dir is not None:
        check_directory(settings.shared_memory_dir)


def _tracing(settings: Settings) -> None:
    if settings.tracing:
        check_installed()


CHECKS: tuple[Callable[[Settings], object], ...] = (
    worker_settings,
    check_transport_security,
    _inflight_bytes,
    _callers,
    _shared_memory,
    _tracing,
)
"""Each reads a part of what a start reads, and raises for what is wrong with it."""
