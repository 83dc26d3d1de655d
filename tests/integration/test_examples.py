"""The programs in examples/ run as they are, and do what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import seedbed as sb
from tests.servers import ServerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
# Fetches 0.5 GB four times, after a start that may compile.
RUN_SECONDS = 900


def environment() -> dict[str, str]:
    """Return this process's variables without a default target."""
    return {name: value for name, value in os.environ.items() if name != "SEEDBED_TARGET"}


def run_example(name: str, *arguments: str, folder: Path) -> str:
    """Return what an example prints, run in a folder."""
    finished = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


def servers_below(folder: Path) -> set[int]:
    """Return the processes that run a seedbed_server with a folder as theirs."""
    found = set()
    for process in psutil.process_iter():
        try:
            if (
                "seedbed_server" in process.cmdline()
                and Path(process.cwd()).resolve() == folder.resolve()
            ):
                found.add(process.pid)
        except psutil.Error:  # it has ended, or is not ours
            continue
    return found


def test_embedded_prints_shapes_and_a_digest(tmp_path: Path) -> None:
    with sb.connect("embedded:") as client:
        weight = client.sample(
            sb.TensorSpec("dense/kernel", (1024, 512), "float32", sb.HeNormal(seed=42))
        )
    lines = run_example("embedded.py", folder=tmp_path).splitlines()
    assert lines == [
        f"weight (1024, 512) float32 {sb.digest_bytes(weight.tobytes())}",
        "bias (512,) float32",
    ]


@pytest.mark.parametrize(("rank", "rows"), [(0, 12565), (3, 12564)])
def test_remote_fetches_the_rows_of_a_rank(
    server: ServerProcess, tmp_path: Path, rank: int, rows: int
) -> None:
    text = run_example("remote.py", server.address, str(rank), "4", folder=tmp_path)
    digest = r"xxh3_128:[0-9a-f]{32}:77194752"
    assert re.fullmatch(
        rf"rank {rank} of 4: \({rows}, 768\) of \(50257, 768\), {digest}\n", text
    ), text


def test_quickstart_holds_and_leaves_two_files_and_no_server(tmp_path: Path) -> None:
    output = tmp_path / "quickstart-output"
    output.mkdir()
    for name in ("glorot-normal.png", "gpt2-small.safetensors"):  # of an earlier run
        (output / name).write_text("old")
    text = run_example("quickstart.py", folder=tmp_path)
    assert "148 of 148 digests are identical on all ranks" in text
    assert "equal, bit for bit" in text
    assert "every tensor of it has the server's digest" in text
    assert "All of it held" in text
    assert sorted(path.name for path in output.iterdir()) == [
        "glorot-normal.png",
        "gpt2-small.safetensors",
    ]
    assert (output / "gpt2-small.safetensors").stat().st_size > 4 * 124_439_808
    assert (output / "glorot-normal.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert servers_below(tmp_path) == set()
