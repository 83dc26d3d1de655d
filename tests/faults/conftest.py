"""Fixtures of the tests under faults: servers, and what is right of what they serve."""

from collections.abc import Iterator

import pytest

from tests.faults.contents import Contents, HostDevice
from tests.faults.replicas import Replica, replicas


@pytest.fixture(scope="session")
def servers() -> Iterator[list[Replica]]:
    """Three servers; all of them serve when a test begins and when it ends."""
    # A proxy notices within half a second that a server drains.
    with replicas(3, "--lame-duck-seconds", "1") as found:
        yield found


@pytest.fixture
def server(servers: list[Replica]) -> str:
    """The address of one of them."""
    return servers[0].address


@pytest.fixture(scope="session")
def contents(servers: list[Replica]) -> Contents:
    """What is fetched, and what is right."""
    return Contents(servers[0].address)


@pytest.fixture(autouse=True)
def host_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory of the host stand in for ``device="gpu"``."""
    monkeypatch.setattr("seedbed.fetch.open_device", lambda _: HostDevice())
