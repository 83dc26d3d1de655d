"""A configuration that is good or bad is known without a start."""

import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest


def run(*arguments: str) -> tuple[int, str, list[str]]:
    """Return the exit code, the output, and the lines on standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "seedbed_server", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


def test_a_good_configuration_is_one_line_and_opens_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        file = tmp_path / "seedbed.yaml"
        file.write_text(f"listen: 127.0.0.1:{taken.getsockname()[1]}\nshared_memory_dir: .\n")
        assert run("--check-config", "--config", str(file)) == (
            0,
            "the configuration is good\n",
            [],
        )
    assert list(tmp_path.iterdir()) == [file]


def test_all_that_would_keep_the_server_from_starting_is_told_at_once() -> None:
    listen = ("--listen", "unix:///run/seedbed.sock")
    folder = ("--shared-memory-dir", "/none")
    budget = ("--max-inflight-bytes", "65535", "--max-concurrent-streams", "1")
    code, out, lines = run(
        "--check-config", "--workers", "2", *listen, *folder, *budget, "--tls-cert", "/none.pem"
    )
    assert (code, out) == (2, "")
    assert len(lines) == 4
    assert {line.removeprefix("seedbed-server: error: ") for line in lines} == {
        "--tls-cert needs --tls-key beside it",
        (
            "--max-inflight-bytes must be at least 65536 for each of --max-concurrent-streams 1, "
            "65536 in all. Received: 65535"
        ),
        "several workers cannot share a Unix socket: listen on host:port, or use one worker",
        "--shared-memory-dir must be an existing folder's absolute path. Received: /none",
    }


def test_a_warning_of_a_start_is_one_of_a_check_too() -> None:
    code, out, (line,) = run("--check-config", "--insecure", "--listen", "0.0.0.0:1")
    assert (code, out) == (0, "the configuration is good\n")
    assert line.endswith("WARNING listening without TLS address=0.0.0.0:1")


@pytest.mark.parametrize("task", ["--check-config", "--print-config"])
def test_wrong_settings_end_with_2(task: str) -> None:
    said = "seedbed-server: error: --threads must be an integer from 1 to 9223372036854775807. "
    assert run(task, "--threads", "0") == (2, "", [f"{said}Received: '0'"])


def test_the_version_is_the_packages() -> None:
    assert run("--version") == (0, f"seedbed-server {metadata.version('seedbed')}\n", [])
