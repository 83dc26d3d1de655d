"""Fixtures for JAX and Flax: eight devices, a server that counts, a client that records."""

import os
from collections.abc import Iterator

# Read once, when JAX is imported: so it is set before any test module is.
# Most of the time of these tests is compilation, and no test is about its result's speed.
os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=0"
)
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.pop("SEEDBED_TARGET", None)

import pytest

from tests.frameworks.recording import RecordingClient
from tests.servers import ServerProcess, serving


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A seedbed-server that counts the bytes it has sent."""
    with serving("--admin-listen", "127.0.0.1:0") as process:
        yield process


@pytest.fixture
def recorder() -> RecordingClient:
    """The embedded engine, and all that it was asked for."""
    return RecordingClient()
