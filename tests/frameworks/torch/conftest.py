"""Fixtures for the tests of seedbed.torch: the client that records, and a server with counters."""

from collections.abc import Iterator

import pytest

import seedbed as sb
from tests.frameworks.torch.recording import RecordingClient
from tests.servers import ServerProcess, serving


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingClient]:
    """The embedded engine as the default client, which remembers what it was asked for."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    recording = RecordingClient()
    sb.set_default_client(recording)
    yield recording
    sb.set_default_client(None)


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A real server that counts."""
    with serving("--admin-listen", "127.0.0.1:0") as process:
        yield process
