"""Fixtures of the tests of who may connect."""

from pathlib import Path

import pytest

from tests.certificates import Authority, Issued, authority


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificates of all tests are."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def ca() -> Authority:
    """Who signs what is right."""
    return authority("seedbed tests")


@pytest.fixture(scope="session")
def ca_file(folder: Path, ca: Authority) -> Path:
    """The authority's certificate."""
    return ca.write(folder / "ca.crt")


@pytest.fixture(scope="session")
def server_files(folder: Path, ca: Authority) -> Issued:
    """A server's certificate for localhost and 127.0.0.1."""
    return ca.issue(folder, "server")


@pytest.fixture(scope="session")
def client_files(folder: Path, ca: Authority) -> Issued:
    """A client's certificate."""
    return ca.issue(folder, "client")
