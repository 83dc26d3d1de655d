"""The benchmarks run and give well-formed figures; how fast they are is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# Compiling every kernel without a cache takes about 20 s on a busy machine.
RUN_SECONDS = 240


def run_benchmark(name: str, *arguments: str) -> str:
    """Return what a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / name), "--rounds", "1", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


def test_kernels_gives_a_row_for_each_distribution_and_thread_count() -> None:
    rows: list[dict[str, Any]] = json.loads(
        run_benchmark("kernels.py", "--mebibytes", "1", "--peers", "numpy", "--json")
    )
    distributions = ("uniform", "normal", "truncated normal")
    assert [(row["threads"], row["distribution"]) for row in rows] == [(n, d) for n in (1, 2) for d in distributions]
    for row in rows:
        speeds = row["gigabytes_per_second"]
        # Numpy has no truncated normal.
        peers = set() if row["distribution"] == "truncated normal" else {"numpy"}
        assert set(speeds) == {"seedbed"} | peers
        assert all(len(each) == 1 and each[0] > 0 for each in speeds.values())


@pytest.mark.parametrize("peers", ["numpy", ""])
def test_kernels_prints_a_table(peers: str) -> None:
    lines = run_benchmark("kernels.py", "--mebibytes", "1", "--peers", peers).splitlines()
    assert lines[0].split()[:4] == ["GB/s,", "median", "(range)", "seedbed"]
    assert len(lines) == 7


def test_fetch_gives_a_speed_for_each_way() -> None:
    rounds: list[dict[str, float]] = json.loads(run_benchmark("fetch.py", "--mebibytes", "4", "--json"))
    assert len(rounds) == 1
    assert set(rounds[0]) == {"seedbed", "bare", "bare, tuned"}
    assert all(speed > 0 for speed in rounds[0].values())


def test_fetch_prints_each_way_and_the_ratio() -> None:
    lines = run_benchmark("fetch.py", "--mebibytes", "4").splitlines()
    assert [line[:14].strip() for line in lines] == ["seedbed", "bare", "bare, tuned", "ratio"]
