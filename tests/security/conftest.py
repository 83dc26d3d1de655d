"""Fixtures of the tests of who may connect."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from tests.certificates import Authority, Issued, authority
from tests.faults.relay import pass_on, relay
from tests.servers import serving


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


@pytest.fixture(scope="session")
def plain_server() -> Iterator[str]:
    """The address of a seedbed-server without TLS."""
    with serving() as process:
        yield process.address


class TlsServers:
    """Servers under TLS that pass calls on to a real one."""

    def __init__(self, server: str, stack: ExitStack) -> None:
        self._server = server
        self._stack = stack

    def start(self, issued: Issued, client_ca: Path | None = None) -> str:
        """Return the address of a new one.

        Args:
            issued: its certificate.
            client_ca: who signs those of its clients, which it then insists on.
        """
        credentials = grpc.ssl_server_credentials(
            [(issued.key.read_bytes(), issued.cert.read_bytes())],
            client_ca.read_bytes() if client_ca is not None else None,
            client_ca is not None,
        )
        return self._stack.enter_context(relay(self._server, pass_on, credentials=credentials))


@pytest.fixture(scope="module")
def servers(plain_server: str) -> Iterator[TlsServers]:
    """What starts servers, which end with the module."""
    with ExitStack() as stack:
        yield TlsServers(plain_server, stack)


@pytest.fixture(scope="module")
def server(servers: TlsServers, server_files: Issued) -> str:
    """The address of a server under TLS."""
    return servers.start(server_files)


@pytest.fixture(scope="module")
def mutual(servers: TlsServers, server_files: Issued, ca_file: Path) -> str:
    """The address of a server that insists on certificates of its clients."""
    return servers.start(server_files, ca_file)
