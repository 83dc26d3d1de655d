"""Fixtures of the tests of TLS: certificates, and servers that use them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import grpc
import pytest

from tests.certificates import Authority, Issued, authority
from tests.faults.relay import pass_on, relay
from tests.servers import serving


@pytest.fixture(scope="session")
def plain_server() -> Iterator[str]:
    """The address of a seedbed-server without TLS."""
    with serving() as process:
        yield process.address


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for certificates."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="session")
def signing() -> Authority:
    """The authority of all servers."""
    return authority("signing")


@pytest.fixture(scope="session")
def ca(signing: Authority, certificates: Path) -> Path:
    """The file of its certificate."""
    return signing.write(certificates / "ca.crt")


@pytest.fixture(scope="session")
def issued(signing: Authority, certificates: Path) -> Issued:
    """A server's certificate, for localhost and the loopback addresses."""
    return signing.issue(certificates, "server", ips=("127.0.0.1", "::1"))


@pytest.fixture(scope="session")
def client_issued(signing: Authority, certificates: Path) -> Issued:
    """A client's certificate."""
    return signing.issue(certificates, "client", names=(), ips=())


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
def server(servers: TlsServers, issued: Issued) -> str:
    """The address of a server under TLS."""
    return servers.start(issued)


@pytest.fixture(scope="module")
def mutual(servers: TlsServers, issued: Issued, ca: Path) -> str:
    """The address of a server that insists on certificates of its clients."""
    return servers.start(issued, ca)
