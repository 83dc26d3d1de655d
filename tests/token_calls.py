"""Calls with tokens: the files that a server knows them by, and what becomes of a call."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from seedbed.v1 import service_pb2
from seedbed_server.security.tokens import new_token
from tests.raw_calls import (
    NUMERICS,
    Refusal,
    refusal,
    stub,
    tensor,
)

POLICY = """
identities:
  trainer: {}
  viewer: {rpcs: [GetServerInfo, ListInitializers]}
  "team/*": {}
  few: {quotas: {matrices: 1}}
  narrow: {quotas: {inflight_bytes: 64 MiB}}
  daily: {quotas: {bytes_per_day: 64 MiB}}
  quick: {quotas: {cost_seconds_per_request: 0.5}}
"""


@dataclass
class Files:
    """The files of a server, and the tokens that they stand for."""

    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--tokens", str(self.folder / "tokens"), "--policy", str(self.folder / "policy"))

    def add(self, name: str, identity: str, until: str = "") -> str:
        """Make a token, which is known after :meth:`write`."""
        self.tokens[name], self.lines[name] = new_token(identity)
        self.lines[name] += until
        return self.tokens[name]

    def write(self, text: str | None = None) -> None:
        """Write the file of tokens, and put it in the place of the old one."""
        new = self.folder / "new"
        new.touch(0o600)
        new.write_text("\n".join(self.lines.values()) if text is None else text)
        new.replace(self.folder / "tokens")

    def write_policy(self, text: str) -> None:
        """Put another policy in the place of the old one: half a file would be one, too."""
        new = self.folder / "new-policy"
        new.write_text(text)
        new.replace(self.folder / "policy")


def files_in(folder: Path) -> Files:
    found = Files(folder)
    for identity in ("trainer", "viewer", "team/a", "team/b", "few", "narrow", "daily", "quick"):
        found.add(identity, identity)
    found.add("stranger", "stranger")
    found.add("expired", "trainer", " until=2026-01-01T00:00:00Z")
    found.write()
    found.write_policy(POLICY)
    return found


def bearer(token: str, scheme: str = "Bearer") -> dict[str, Any]:
    return {"metadata": (("authorization", f"{scheme} {token}"),)}


WEIGHT = tensor()
LISTS: dict[str, Any] = {"tensors": [WEIGHT], "numerics": NUMERICS}
REQUESTS: dict[str, Any] = {
    "GetServerInfo": service_pb2.GetServerInfoRequest(),
    "ListInitializers": service_pb2.ListInitializersRequest(),
    "DescribeTensors": service_pb2.DescribeTensorsRequest(**LISTS),
    "DigestTensors": service_pb2.DigestTensorsRequest(**LISTS),
    "SampleTensors": service_pb2.SampleTensorsRequest(**LISTS),
    "SampleSmallTensor": service_pb2.SampleSmallTensorRequest(tensor=WEIGHT, numerics=NUMERICS),
}


def ask(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> list[Any]:
    """Return the answers of a call; raise what it ends with."""
    answer = getattr(stub(channel), rpc)(request or REQUESTS[rpc], timeout=60, **options)
    return list(answer) if hasattr(answer, "__next__") else [answer]


def refused(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> Refusal:
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, rpc, request, **options)
    return refusal(caught.value)


def reason_of(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> str:
    """Return why a call is refused; OK if it is not."""
    try:
        ask(channel, rpc, request, **options)
    except grpc.RpcError as error:
        return refusal(error).reason
    return "OK"


def is_known(channel: grpc.Channel, token: str) -> bool:
    return reason_of(channel, "GetServerInfo", **bearer(token)) != "TOKEN_UNKNOWN"
