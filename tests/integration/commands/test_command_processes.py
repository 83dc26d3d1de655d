"""Commands as processes of their own: output streams and exit codes."""

import json
import subprocess

import pytest

import seedbed as sb
from tests.command_line import PROGRAM, SAMPLE, embedded_sample
from tests.servers import ServerProcess

RUN_SECONDS = 600


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=RUN_SECONDS
    )


def test_a_sample_is_printed_and_nothing_goes_to_standard_error() -> None:
    finished = run(*SAMPLE, "--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
    assert finished.stdout.count("\n") == 1
    assert json.loads(finished.stdout)["digest"] == str(sb.digest_bytes(array.tobytes()))


def test_fetch_and_verify_agree_through_a_server(server: ServerProcess, manifest: str) -> None:
    fetched = run(
        "fetch", manifest, "-o", "model.safetensors", "--target", server.address, "--progress"
    )
    assert fetched.returncode == 0, fetched.stderr
    verified = run("verify", "model.safetensors", manifest)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_wrong_argument_ends_with_two_and_one_line() -> None:
    finished = run("sample", "GlorotUnifrom", "--shape", "2,2")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("seedbed: error: ") and finished.stderr.count("\n") == 1


def test_a_handshake_that_fails_is_one_line(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none of gRPC's own."""
    monkeypatch.delenv("GRPC_VERBOSITY", raising=False)
    finished = run("info", "--target", server.address, "--tls", "--patience-seconds", "0")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith("seedbed: error: ") and finished.stderr.count("\n") == 1
    assert "does not speak TLS: pass --no-tls" in finished.stderr
