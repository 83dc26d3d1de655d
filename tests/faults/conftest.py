"""Fixtures of the tests under faults: a server, and what is right of what it serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.contents import Contents, HostDevice
from tests.servers import ServerProcess, serving


@pytest.fixture(scope="session")
def contents(server: ServerProcess) -> Contents:
    """What is fetched, and what is right."""
    return Contents(server.address)


@pytest.fixture(scope="session")
def server_socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server listens besides TCP."""
    return tmp_path_factory.mktemp("server") / "socket"


@pytest.fixture(scope="session")
def server(server_socket: Path) -> Iterator[ServerProcess]:
    """A seedbed-server process that listens on a TCP and a Unix socket."""
    with serving("--listen", f"unix://{server_socket}") as process:
        yield process


@pytest.fixture(autouse=True)
def host_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory of the host stand in for ``device="gpu"``."""
    monkeypatch.setattr("seedbed.fetch.open_device", lambda _: HostDevice())
