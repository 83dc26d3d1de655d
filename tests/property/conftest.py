"""Fixtures of the properties over a socket."""

from collections.abc import Iterator

import pytest

from tests.servers import ServerProcess, serving


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A seedbed-server process with default limits and two threads, at ``server.address``."""
    with serving() as process:
        yield process
