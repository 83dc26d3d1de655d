"""``seedbed warmup`` compiles what a first call would wait for."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.command_line import PROGRAM

FULL_DISK = (
    "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
    "import sys; from seedbed.cli.program import main; sys.exit(main(['warmup']))"
)


def warmup(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PROGRAM, "warmup", "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_compiles_once_and_says_where(tmp_path: Path) -> None:
    def kernels() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.kernel")}

    first = json.loads(warmup(SEEDBED_KERNEL_CACHE_DIR=str(tmp_path)).stdout)
    compiled = kernels()
    second = json.loads(warmup(SEEDBED_KERNEL_CACHE_DIR=str(tmp_path)).stdout)
    assert first["folder"] == second["folder"] == str(next(tmp_path.iterdir()))
    assert first["size_bytes"] == second["size_bytes"] > 2**20
    assert compiled
    assert kernels() == compiled


def test_where_no_kernel_can_be_kept_it_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK],
        env={**os.environ, "SEEDBED_KERNEL_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "kernels cannot be kept: set SEEDBED_KERNEL_CACHE_DIR" in done.stderr
