"""Commands that ask a server: what it tells, and what is said while it is not there."""

import json
import re
import threading
import time
from contextlib import ExitStack

import pytest

from seedbed.cli import main
from tests.command_line import SAMPLE, dead_address, error_line, printed_json
from tests.servers import ServerProcess, server_process
from tests.waiting import LATE_SECONDS


def test_list_names_every_initializer(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = []
    for target in ("embedded:", server.address):
        assert main(["list", "--json", "--target", target]) == 0
        documents.append(printed_json(capsys))
    assert documents[0] == documents[1]
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    names = [each["name"] for each in documents[0]["initializers"]]
    assert {"GlorotUniform", "HeNormal", "Orthogonal", "Zeros"} <= set(names)
    assert all(name in text for name in names)


def test_info_tells_version_and_limits(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in ("embedded:", server.address):
        assert main(["info", "--json", "--target", target]) == 0
        document = printed_json(capsys)
        assert document["target"] == target
        assert document["info"]["numerics"] == ["seedbed-1"]
        assert document["info"]["limits"]["max_tensor_bytes"] > 0
    assert main(["info"]) == 0
    assert "seedbed-1" in capsys.readouterr().out


def test_the_environment_sets_the_target(
    server: ServerProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", server.address)
    assert main(["info", "--json"]) == 0
    assert printed_json(capsys)["target"] == server.address


@pytest.mark.parametrize(
    "arguments", [SAMPLE, ("digest", *SAMPLE[1:]), ("list",), ("info",)], ids=lambda a: a[0]
)
def test_a_target_that_does_not_answer_fails(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    address = dead_address()
    assert main([*arguments, "--target", address, "--patience-seconds", "0"]) == 1
    assert address in error_line(capsys)


@pytest.mark.parametrize("option", ["--patience-seconds", "--timeout-seconds"])
def test_it_says_once_that_it_waits_for_a_server(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = dead_address()
    begun = time.monotonic()
    # It says so after three tries, for which a busy machine has time.
    assert main(["info", "--target", address, option, "8"]) == 1
    assert 7.9 < time.monotonic() - begun < LATE_SECONDS
    printed = capsys.readouterr()
    warning, error = printed.err.splitlines()
    assert warning.startswith(f"seedbed: warning: {address} does not answer")
    assert warning.endswith("trying again")
    assert error.startswith(f"seedbed: error: {address} does not answer")
    assert re.search(r"tried \d+ times in \d+\.\d s", error)
    assert printed.out == ""


def test_it_goes_on_when_the_server_comes(capsys: pytest.CaptureFixture[str]) -> None:
    address = dead_address()
    with ExitStack() as stack:
        starting = threading.Timer(1.0, lambda: stack.enter_context(server_process(listen=address)))
        starting.start()
        assert main(["info", "--target", address, "--json", "--patience-seconds", "120"]) == 0
        starting.join()
    printed = capsys.readouterr()
    assert json.loads(printed.out)["target"] == address
    assert len(printed.err.splitlines()) == 1
