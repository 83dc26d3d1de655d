"""A server for each file of tests, which the others' floods have not touched."""

from collections.abc import Iterator

import pytest

from tests.servers import ServerProcess, serving


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A seedbed-server process with default limits and two threads."""
    with serving("--admin-listen", "127.0.0.1:0") as process:
        yield process
