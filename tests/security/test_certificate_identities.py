"""Who calls where the server asks for certificates: URI, DNS name, common name, a Unix socket."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from seedbed_server.security.tokens import new_token
from tests.certificates import Authority, Issued
from tests.raw_calls import SERVICE, Refusal, refusal, sample_request, stub, tensor
from tests.security.tls_clients import health, tls_channel
from tests.servers import ServerProcess, serving

POLICY = """
identities:
  "spiffe://prod/*": {}
  dns.example: {rpcs: [SampleTensors]}
  name: {}
  unix: {rpcs: [SampleTensors]}
  by-token: {}
"""

CLIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "by-uri": (
        {"uris": ("spiffe://prod/trainer", "urn:x"), "names": ("dns.example",)},
        "spiffe://prod/trainer",
    ),
    "by-dns": ({"names": ("dns.example", "other.example")}, "dns.example"),
    "name": ({"names": (), "ips": ()}, "name"),
}


@pytest.fixture(scope="module")
def clients(folder: Path, ca: Authority) -> dict[str, Issued]:
    """Certificates by their common names."""
    made = {name: ca.issue(folder, name, **names) for name, (names, _) in CLIENTS.items()}
    return made | {name: ca.issue(folder, name, names=()) for name in ("unix", "two words")}


@pytest.fixture(scope="module")
def tls_arguments(folder: Path, ca_file: Path, server_files: Issued) -> tuple[str, ...]:
    (folder / "policy.yaml").write_text(POLICY)
    return (
        *("--tls-cert", str(server_files.cert), "--tls-key", str(server_files.key)),
        *("--tls-client-ca", str(ca_file), "--policy", str(folder / "policy.yaml")),
    )


@pytest.fixture(scope="module")
def server(folder: Path, tls_arguments: tuple[str, ...]) -> Iterator[ServerProcess]:
    """A server that listens on a TCP port and on a Unix socket."""
    with serving(*tls_arguments, "--listen", f"unix://{folder}/s.sock") as process:
        yield process


SAMPLE = sample_request(tensor())


def reason_of(channel: grpc.Channel, **options: object) -> str:
    """Return why sampling is refused; OK if it is not."""
    try:
        list(stub(channel).SampleTensors(SAMPLE, timeout=30, **options))
    except grpc.RpcError as error:
        return refusal(error).reason
    return "OK"


def refusal_of(channel: grpc.Channel, method: str) -> Refusal:
    call: Any = channel.unary_unary(f"/{SERVICE}/{method}")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=30)
    return refusal(caught.value)


@pytest.mark.parametrize("name", CLIENTS)
def test_a_certificate_is_an_identity(
    server: ServerProcess, clients: dict[str, Issued], ca_file: Path, name: str
) -> None:
    with tls_channel(server.address, ca_file, clients[name]) as channel:
        assert reason_of(channel) == "OK"
    server.wait_for(f" identity={CLIENTS[name][1]}[ \n]")


def test_a_rule_is_about_a_certificate_as_well(
    server: ServerProcess, clients: dict[str, Issued], ca_file: Path
) -> None:
    with tls_channel(server.address, ca_file, clients["by-dns"]) as channel:
        answer = refusal_of(channel, "ListInitializers")
    assert (answer.code, answer.reason) == ("PERMISSION_DENIED", "RPC_NOT_ALLOWED")


@pytest.mark.parametrize("name", ["unix", "two words"])
def test_a_certificate_without_a_usable_name_is_refused(
    server: ServerProcess, clients: dict[str, Issued], ca_file: Path, name: str
) -> None:
    with tls_channel(server.address, ca_file, clients[name]) as channel:
        assert health(channel) == "SERVING"
        assert reason_of(channel) == "UNKNOWN_IDENTITY"


def test_callers_of_a_unix_socket_are_one_identity(server: ServerProcess, folder: Path) -> None:
    with grpc.insecure_channel(f"unix://{folder}/s.sock") as channel:
        assert reason_of(channel) == "OK"
        assert refusal_of(channel, "GetServerInfo").reason == "RPC_NOT_ALLOWED"


def test_where_there_are_tokens_they_count(
    tmp_path: Path, tls_arguments: tuple[str, ...], clients: dict[str, Issued], ca_file: Path
) -> None:
    token, line = new_token("by-token")
    (tmp_path / "tokens").write_text(line)
    unix = f"unix://{tmp_path}/s.sock"
    bearer = {"metadata": (("authorization", f"Bearer {token}"),)}
    arguments = (*tls_arguments, "--tokens", str(tmp_path / "tokens"), "--listen", unix)
    with serving(*arguments) as server, ExitStack() as stack:
        for channel in (
            stack.enter_context(tls_channel(server.address, ca_file, clients["by-uri"])),
            stack.enter_context(grpc.insecure_channel(unix)),
        ):
            assert reason_of(channel) == "TOKEN_MISSING"
            assert reason_of(channel, **bearer) == "OK"
        server.wait_for_count("identity=by-token", 2)


def test_tokens_without_tls_are_a_warning_where_others_can_hear_them(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(new_token("a")[1])
    arguments = ("--tokens", str(tmp_path / "tokens"), "--insecure")
    with serving(*arguments, listen="0.0.0.0:0") as server:
        assert "WARNING listening without TLS: tokens can be overheard" in server.log
    with serving(*arguments[:2]) as server:
        assert "overheard" not in server.log
