"""The built client against real servers: whom it trusts, who it says it is, and what it is told."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seedbed_server.security.tokens import new_token
from tests.certificates import A_DAY, Issued, authority
from tests.servers import SERVING, server_process
from tests.waiting import wait_until

CLIENT = Path(__file__).parents[1] / "build" / "client"
# Node warns of certificates for addresses, and these are for 127.0.0.1.
ENVIRONMENT = {**os.environ, "NODE_NO_WARNINGS": "1"}
POLICY = "identities: {trainer: {}, leaver: {}, viewer: {rpcs: [GetServerInfo]}}"
OK = ("OK", "", "")


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers by name, and the folder with the files of whoever calls them."""

    addresses: dict[str, str]
    folder: Path

    def run(self, target: str, options: str) -> "subprocess.CompletedProcess[str]":
        """Run the client's command ``list`` in the folder."""
        return subprocess.run(
            [str(CLIENT), target, "list", *options.split()],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    def call(self, server: str, options: str) -> tuple[str, str, str]:
        """Return a call's status code, and the reason and the message that the client shows."""
        done = self.run(self.addresses[server], options)
        if done.returncode == 0:
            assert '"glorot_uniform"' in done.stdout
            return OK
        assert (done.returncode, done.stdout) == (1, "")
        failure = json.loads(done.stderr)
        return failure["code"], failure.get("reason", ""), failure["message"]


def add_token(folder: Path, identity: str) -> str:
    """Write a new token into a file of the identity's name; return the server's line of it."""
    token, line = new_token(identity)
    (folder / identity).write_text(token)
    return f"{line}\n"


def tls_flags(issued: Issued) -> list[str]:
    return ["--tls-cert", str(issued.cert), "--tls-key", str(issued.key)]


def write_files(folder: Path) -> dict[str, list[str]]:
    """Write the files of servers and callers into a folder; return the flags of each server."""
    ca, now = authority("ours"), datetime.now(UTC)
    ca_file = ca.write(folder / "ca.crt")
    authority("other").write(folder / "other.crt")
    ca.issue(folder, "client")
    old = ca.issue(folder, "old", valid_from=now - 3 * A_DAY, valid_until=now - 2 * A_DAY)
    away = ca.issue(folder, "away", names=["seedbed.example"], ips=["10.0.0.1"])
    tls = tls_flags(ca.issue(folder, "server"))

    tokens, policy = folder / "tokens", folder / "policy"
    tokens.touch(0o600)
    tokens.write_text("".join(add_token(folder, each) for each in ("trainer", "leaver", "viewer")))
    add_token(folder, "unknown")
    policy.write_text(POLICY)
    asking = ["--tokens", str(tokens), "--policy", str(policy)]
    return {
        "tls": [*tls, *asking],
        "plain": asking,
        "mutual": [*tls, "--tls-client-ca", str(ca_file)],
        "expired": tls_flags(old),
        "elsewhere": tls_flags(away),
    }


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("access")
    with ExitStack() as stack:
        # All at once: each takes seconds to start.
        started = {
            name: stack.enter_context(server_process("--threads", "1", *flags))
            for name, flags in write_files(folder).items()
        }
        for each in started.values():
            each.wait_for(SERVING)
        yield Servers({name: each.address for name, each in started.items()}, folder)


TRUSTING = "--tls-ca ca.crt"
RIGHT = {
    "TLS and a token": ("tls", f"{TRUSTING} --token-file trainer"),
    "a certificate": ("mutual", f"{TRUSTING} --tls-cert client.crt --tls-key client.key"),
    "a token on this machine": ("plain", "--token-file trainer"),
}


@pytest.mark.parametrize(("server", "options"), RIGHT.values(), ids=RIGHT)
def test_who_is_right_is_answered(servers: Servers, server: str, options: str) -> None:
    assert servers.call(server, options) == OK


REFUSED = {
    "no token": (
        "",
        "UNAUTHENTICATED",
        "TOKEN_MISSING",
        "the call has no token: send `authorization: Bearer <token>` metadata",
    ),
    "a wrong token": (
        "--token-file unknown",
        "UNAUTHENTICATED",
        "TOKEN_UNKNOWN",
        "the token is none of this server's: it is wrong, or was revoked",
    ),
    "a token without permission": (
        "--token-file viewer",
        "PERMISSION_DENIED",
        "RPC_NOT_ALLOWED",
        "this server's policy does not let viewer call ListInitializers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_may_not_call_is_told_why_by_the_server(servers: Servers, name: str) -> None:
    options, *told = REFUSED[name]
    assert servers.call("tls", f"{TRUSTING} {options}") == tuple(told)


def test_a_revoked_token_is_refused_by_the_running_server(servers: Servers) -> None:
    options = f"{TRUSTING} --token-file leaver"
    assert servers.call("tls", options) == OK
    tokens, new = servers.folder / "tokens", servers.folder / "new"
    new.touch(0o600)
    lines = tokens.read_text().splitlines(keepends=True)
    new.write_text("".join(line for line in lines if not line.startswith("leaver")))
    new.replace(tokens)
    wait_until(lambda: servers.call("tls", options) != OK)
    _, code, reason, message = REFUSED["a wrong token"]
    assert servers.call("tls", options) == (code, reason, message)


# What Node's TLS has to say, in words of its own; where the server hangs up, it knows no more.
HUNG_UP = "Failed to connect"
UNMET = {
    "another authority": ("tls", "--tls-ca other.crt", "unable to "),
    "Node's authorities": ("tls", "--tls", "unable to "),
    "an expired certificate": ("expired", TRUSTING, "certificate has expired"),
    "another name": ("elsewhere", TRUSTING, "127.0.0.1 is not in the cert's list: 10.0.0.1"),
    "no client certificate": ("mutual", TRUSTING, HUNG_UP),
    "a plain client": ("tls", "", HUNG_UP),
    "a plain server": ("plain", TRUSTING, "wrong version number"),
}


@pytest.mark.parametrize(("server", "options", "words"), UNMET.values(), ids=UNMET)
def test_who_cannot_agree_on_tls_is_unavailable(
    servers: Servers, server: str, options: str, words: str
) -> None:
    code, reason, message = servers.call(server, options)
    assert (code, reason) == ("UNAVAILABLE", "")
    assert message.startswith("No connection established. Last error: ")
    assert words in message


def test_a_token_does_not_leave_this_machine_in_the_clear(servers: Servers) -> None:
    for target in ("10.0.0.1:50051", "127.0.0.1.seedbed.example:50051"):
        done = servers.run(target, "--token-file trainer")
        assert done.returncode == 1
        assert f"anyone on the way to {target} could read the token" in done.stderr
