"""Fixtures of the tests of deploy/: the servers, and what is right of what they serve."""

from collections.abc import Iterator

import pytest

from tests.deploy.stage import Stage
from tests.faults.contents import Contents, HostDevice


# For a module: its variables must not reach the tests of other folders.
@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Three servers with TLS and a token; all of them serve when a test begins and when it ends."""
    with (
        Stage(tmp_path_factory.mktemp("stage") / "stage").running() as stage,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, text in stage.variables.items():
            patch.setenv(name, text)
        yield stage


@pytest.fixture(scope="module")
def contents(stage: Stage) -> Contents:
    """What is fetched, and what is right."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDBED_TLS_SERVER_NAME", "server-1")
        return Contents(stage.servers["server-1"].address)


@pytest.fixture
def host_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let memory of the host stand in for ``device="gpu"``."""
    monkeypatch.setattr("seedbed.fetch.open_device", lambda _: HostDevice())
