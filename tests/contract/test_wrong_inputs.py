"""150 wrong inputs: each error names the argument, what is allowed, what came, and what was meant.

It is said once, whatever the door: the SDK, the command line, the server's settings, gRPC.
"""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import seedbed as sb
from seedbed.cli import main
from seedbed_server.cli import read_arguments
from tests.contract.wrong_inputs.calls import CLIENTS, INITIALIZERS, MODEL, SPECS, W
from tests.contract.wrong_inputs.case import Case
from tests.contract.wrong_inputs.command_lines import COMMAND_LINES
from tests.contract.wrong_inputs.manifests import MANIFESTS
from tests.contract.wrong_inputs.messages import MESSAGES
from tests.contract.wrong_inputs.server_settings import SETTINGS
from tests.raw_calls import raw_sample
from tests.servers import serving

CALLS = {**INITIALIZERS, **SPECS, **CLIENTS}
TABLES = [INITIALIZERS, SPECS, CLIENTS, COMMAND_LINES, SETTINGS, MESSAGES, MANIFESTS]
LONGEST = 700


def check(message: str, case: Case) -> None:
    """Check what an error says, to the last word that it suggests."""
    assert case.argument in message, message
    assert case.allowed in message, message
    assert case.received in message, message
    assert len(message) <= LONGEST, message
    # Names of the public classes alone: RandomNormal, and no RandomNormalSpec.
    said = message.partition("Received")[0]
    assert not re.search(r"__|\b(?!TensorSpecs?\b)\w+Specs?\b", said), message
    if not case.meant:
        assert "did you mean" not in message, message
    else:
        suggestion = message.partition("; did you mean ")[2]
        assert suggestion.strip("'").startswith(case.meant), message
        assert suggestion.strip("'")[len(case.meant)] in "'?,", message


def test_the_table_has_150_causes() -> None:
    rows = [row for table in TABLES for row in table.values()]
    assert len({(row.argument, row.allowed, row.received) for row in rows}) >= 150
    assert sum(len(table) for table in TABLES[:3]) == len(CALLS), "two rows of one name"


@pytest.mark.parametrize("case", CALLS.values(), ids=CALLS.keys())
def test_a_wrong_call(case: Case) -> None:
    with pytest.raises(sb.InvalidArgumentError) as caught:
        case.given()
    check(str(caught.value), case)
    assert isinstance(caught.value, (TypeError, ValueError))
    assert caught.value.field


ASYNCHRONOUS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "an integer as an index": ("sample", W, {"slice": (0, slice(None))}),
    "a name instead of a spec": ("sample", "w", {}),
    "several specs to sample": ("sample", [W], {}),
    "one spec to sample_all": ("sample_all", W, {}),
    "cuda": ("sample", W, {"device": "cuda"}),
    "no time": ("sample", W, {"timeout_seconds": 0}),
    "a digest's typo": ("digest", W, {"algorithm": "sha-256"}),
    "a slice of a name with a typo": (
        "digest_all",
        MODEL,
        {"slice": {"layer.bais": sb.shard(0, 2)}},
    ),
}


@pytest.mark.parametrize("name", ASYNCHRONOUS)
def test_a_wrong_call_of_the_asynchronous_client(name: str) -> None:
    method, what, arguments = ASYNCHRONOUS[name]

    async def call() -> None:
        async with sb.aio.connect("embedded:") as client:
            await getattr(client, method)(what, **arguments)

    with pytest.raises(sb.InvalidArgumentError) as caught:
        asyncio.run(call())
    check(str(caught.value), CALLS[name])


@pytest.mark.parametrize("case", COMMAND_LINES.values(), ids=COMMAND_LINES.keys())
def test_a_wrong_command_line(
    case: Case, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_TARGET", "embedded:")
    Path("m.yaml").write_text(
        "seedbed_manifest: 1\ndtype: float32\ntensors: {b: {shape: [3], initializer: zeros}}\n"
    )
    assert main(case.given) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    check(printed.err, case)


@pytest.mark.parametrize("case", SETTINGS.values(), ids=SETTINGS.keys())
def test_a_wrong_setting(case: Case, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = [word for word in case.given if word.startswith("-") or "=" not in word]
    variables = dict(word.split("=", 1) for word in case.given if word not in flags)
    if text := variables.pop("FILE", None):
        (tmp_path / "seedbed.yaml").write_text(text)
        flags += ["--config", str(tmp_path / "seedbed.yaml")]
    with pytest.raises(SystemExit) as ended:
        read_arguments(flags, variables)
    assert ended.value.code == 2
    check(capsys.readouterr().err.splitlines()[-1], case)


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    """A channel to a server with the default limits."""
    with serving() as server, grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.mark.parametrize("case", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_wrong_message(case: Case, channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(raw_sample(channel, case.given))
    check(str(caught.value.details()), case)


@pytest.mark.parametrize("case", MANIFESTS.values(), ids=MANIFESTS.keys())
def test_a_wrong_manifest(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(case.given)
    with pytest.raises(sb.InvalidArgumentError) as caught:
        sb.Manifest.load(path)
    first, *others = (each.message for each in caught.value.violations)
    assert re.match(rf"{re.escape(str(path))}:\d+: ", first)
    check(first, case)
    assert not others or case.argument == "`seedbed_manifest`", "one fault, one error"
