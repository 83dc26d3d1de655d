"""The benchmarks run and give well-formed results; how fast they are is not for a test to say."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks import report
from benchmarks.comparison import LATENCY, comparisons
from benchmarks.result import NOT_INSTALLED, NOT_OFFERED, OTHER, OURS, Result
from benchmarks.rows import ROWS
from benchmarks.table import table

ROOT = Path(__file__).parents[2]
# Ten times what they take on an idle machine, the compilation of every kernel included.
RUN_SECONDS = 600

PEERS = {
    1: {"numpy", "PyTorch", "TensorFlow", "JAX", "JAX rbg", "MLX"},
    2: {"seedbed, 1 thread"},
    3: {"Arrow Flight"},
    4: {"bare gRPC", "bare gRPC, seedbed's channel settings"},
    5: {"Keras on TensorFlow, local"},
    6: {"Arrow Flight", "Arrow Flight, batches as they come"},
    7: {"seedbed, 148 calls"},
    8: {"bare gRPC echo"},
    9: {"Keras on TensorFlow", "numpy.linalg.qr, float64", "numpy.linalg.qr, float64, 1 thread"},
    10: set(),
    11: set(),
    12: {"seedbed, 1 worker"},
    13: {"bare gRPC on asyncio"},
    14: {"bare gRPC", "bare gRPC, seedbed's channel settings"},
}


def run_benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return what a run of the benchmarks at tiny sizes prints."""
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--rounds", "1", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS, cwd=ROOT
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a run of all benchmarks, ``run``, left its files."""
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """A run of all benchmarks."""
    finished = run_benchmarks(
        "--json", str(folder / "results.json"), "--picture", str(folder / "results.png")
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished


@pytest.fixture(scope="module")
def results(run: subprocess.CompletedProcess[str], folder: Path) -> list[Result]:
    """The results of the run."""
    return report.read(folder / "results.json")


def test_every_benchmark_gives_figures_for_all_that_is_installed(results: list[Result]) -> None:
    assert [result.row for result in results] == sorted(result.row for result in results)
    assert {result.row for result in results} == set(ROWS)
    for row in ROWS:
        of_row = [result for result in results if result.row == row and not result.unavailable]
        for result in of_row:
            assert all(len(each) == 1 and each[0] > 0 for each in result.samples.values()), result
            assert OURS in result.samples
            assert all(
                reason in {NOT_INSTALLED, NOT_OFFERED} for reason in result.absent.values()
            ), result
        named = {name for result in of_row for name in (*result.samples, *result.absent)} - {OURS}
        assert named == PEERS[row] or not of_row


def test_sampling_has_a_result_for_each_distribution_dtype_and_thread_count(
    results: list[Result],
) -> None:
    titles = {result.title for result in results if result.row == 1}
    assert len(titles) == 3 * 4 * 2
    for result in results:
        if result.row == 1:
            assert ("numpy" in result.samples) == ("truncated" not in result.title)
            assert (result.bar is None) == ("float32" not in result.title)


def test_the_table_names_every_result_and_every_peer_that_is_missing(
    run: subprocess.CompletedProcess[str], results: list[Result]
) -> None:
    assert "Traceback" not in run.stderr
    lines = run.stdout.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:] if line.startswith("|")] == [
        str(result.row) for result in results
    ]
    missing = {
        name
        for result in results
        for name, reason in result.absent.items()
        if reason == NOT_INSTALLED
    }
    assert all(f"{name} missing" in run.stdout for name in missing)
    assert ("Not installed, so not measured:" in run.stdout) == bool(missing)


def test_the_picture_is_a_png(run: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert (folder / "results.png").read_bytes().startswith(b"\x89PNG")


def test_the_picture_compares_with_others_and_has_every_task_once(results: list[Result]) -> None:
    shown = comparisons(results)
    assert len({(each.task, each.peer) for each in shown}) == len(shown)
    assert not any(each.peer.startswith(OURS) for each in shown)
    measured = [result for result in results if result.ratios and result.row == 8]
    assert [each.speedup for each in shown if each.group == LATENCY] == [
        median(result.speedups(result.peers[0])) for result in measured
    ]


def test_the_file_says_on_what_machine_it_was_measured(
    run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    document: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert {"measured", "processor", "system", "packages", "rounds", "sizes", "results"} == set(
        document
    ) - {"load"}


def test_earlier_results_are_shown_again_and_measured_ones_replace_them(
    run: subprocess.CompletedProcess[str], folder: Path
) -> None:
    again = run_benchmarks("--from", str(folder / "results.json"))
    assert again.stdout == run.stdout
    renewed = run_benchmarks(
        "--from", str(folder / "results.json"), "--only", "2", "--json", str(folder / "new.json")
    )
    assert renewed.returncode == 0, renewed.stdout + renewed.stderr
    before, after = report.read(folder / "results.json"), report.read(folder / "new.json")
    assert [result.title for result in after] == [result.title for result in before]
    assert all((new == old) == (new.row != 2) for new, old in zip(after, before, strict=True))


@pytest.mark.parametrize("rows", ["0", "15", "a", "1,,2", ""])
def test_rows_that_do_not_exist_are_refused(rows: str) -> None:
    finished = run_benchmarks("--only", rows)
    assert finished.returncode == 2
    assert "--only" in finished.stderr


def test_another_checkout_takes_turns_and_the_table_has_a_column_for_it(tmp_path: Path) -> None:
    beside = run_benchmarks(
        "--only", "7,8", "--beside", str(ROOT), "--json", str(tmp_path / "beside.json")
    )
    assert beside.returncode == 0, beside.stdout + beside.stderr
    assert "as fast as the other checkout" in beside.stdout
    for result in report.read(tmp_path / "beside.json"):
        assert len(result.samples[OTHER]) == len(result.speedups(OTHER)) == 1
        assert OTHER not in result.peers


def test_a_folder_without_seedbed_is_no_checkout(tmp_path: Path) -> None:
    finished = run_benchmarks("--beside", str(tmp_path))
    assert finished.returncode == 2
    assert "must be a checkout of seedbed" in finished.stderr


def speeds(**changes: Any) -> Result:
    samples = {OURS: [4.0, 6.0, 6.0], "a": [2.0, 2.0, 4.0], "b": [9.0, 1.0, 1.0]}
    return Result(
        **{
            "row": 1,
            "title": "t",
            "unit": "GB/s",
            "higher_is_better": True,
            "samples": samples,
            **changes,
        }
    )


def test_a_ratio_is_the_median_of_the_rounds_to_the_peer_with_the_best_median() -> None:
    result = speeds(bar=2.0)
    assert result.peers == ["a", "b"]
    assert result.ratios == [2.0, 3.0, 1.5]
    assert result.figure == 2.0
    assert result.is_met
    assert not speeds(bar=2.1).is_met


def test_where_less_is_better_the_bar_is_the_most_that_may_be() -> None:
    result = speeds(higher_is_better=False, bar=4.0)
    assert result.peers == ["b", "a"]
    assert result.figure == 6.0
    assert result.score == pytest.approx(4 / 6)
    assert not result.is_met
    assert speeds(
        higher_is_better=False, bar=6.0, bar_on="value", samples={OURS: [5.0, 6.0, 7.0]}
    ).is_met


def test_a_speedup_is_above_1_where_we_are_better_whatever_the_unit() -> None:
    samples = {OURS: [4.0, 6.0], "a": [2.0, 2.0]}
    assert speeds(samples=samples).speedups("a") == [2.0, 3.0]
    assert speeds(samples=samples, higher_is_better=False).speedups("a") == [1 / 2, 1 / 3]
    assert speeds(samples=samples).speedups("b") == []


def test_a_bar_without_a_peer_is_not_met_but_not_measured() -> None:
    result = speeds(samples={OURS: [1.0]}, absent={"a": NOT_INSTALLED}, bar=1.0)
    assert result.is_met is None
    assert "| not measured | a missing" in table([result])


def test_a_bar_that_is_met_without_all_peers_is_marked() -> None:
    assert "| met  |" in table([speeds(bar=2.0, absent={"c": NOT_OFFERED})]).replace(
        "met |", "met  |"
    )
    text = table([speeds(bar=2.0, absent={"c": NOT_INSTALLED, "d": "failed: no"})])
    assert "| met* | b 1.00, c missing, d failed" in text
    assert "1: t: d failed: no" in text


def test_a_result_survives_its_file(tmp_path: Path) -> None:
    results = [speeds(bar=2.0, note="n"), speeds(unavailable="not yet")]
    report.write(tmp_path / "r.json", results, {})
    assert report.read(tmp_path / "r.json") == results
