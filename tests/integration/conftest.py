"""Fixtures of the tests with a real server."""

from collections.abc import Iterator

import pytest

from tests.servers import ServerProcess, serving


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A seedbed-server process with default limits, two threads and metrics.

    Its address is ``server.address``.
    """
    with serving("--admin-listen", "127.0.0.1:0") as process:
        yield process
