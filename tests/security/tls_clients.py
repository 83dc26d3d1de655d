"""Clients of a TLS server that know nothing of the SDK: stock gRPC, and Python's own sockets."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import psutil
from cryptography import x509
from grpc_health.v1 import health_pb2

from tests.certificates import Issued
from tests.raw_calls import health_stub
from tests.servers import ServerProcess
from tests.waiting import wait_until

ANSWER_SECONDS = 60.0


@contextmanager
def tls_channel(
    address: str, ca: Path, client: Issued | None = None, **options: Any
) -> Iterator[grpc.Channel]:
    """Yield a channel with connections of its own; options are gRPC's, without their prefix."""
    credentials = grpc.ssl_channel_credentials(
        ca.read_bytes(),
        client.key.read_bytes() if client else None,
        client.cert.read_bytes() if client else None,
    )
    arguments = {"use_local_subchannel_pool": 1, **options}
    named = [(f"grpc.{name}", value) for name, value in arguments.items()]
    with grpc.secure_channel(address, credentials, options=named) as channel:
        yield channel


def health(channel: grpc.Channel) -> str:
    """Return the status that health reports, or the code of the failed call and its details."""
    try:
        answer = health_stub(channel).Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
    except grpc.RpcError as error:
        failed: Any = error
        return f"{failed.code().name}: {failed.details()}"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


def shown_serial(address: str, client: Issued | None = None) -> int:
    """Return the serial number of the certificate that a new connection is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if client is not None:
        context.load_cert_chain(client.cert, client.key)
    host, _, port = address.rpartition(":")
    with (
        socket.create_connection((host, int(port)), ANSWER_SECONDS) as plain,
        context.wrap_socket(plain) as connection,
    ):
        shown = connection.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def wait_for_no_connections(server: ServerProcess) -> None:
    """Return when a server has given back all connections; fail if it does not."""
    process = psutil.Process(server.process.pid)
    wait_until(
        lambda: not [each for each in process.net_connections("tcp") if each.status != "LISTEN"]
    )
