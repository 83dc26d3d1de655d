"""`make gpu-check` as a whole: rehearsed over stand-ins, and as it is where there is no device."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tools.gpu_check.checks.sanitizer import PROGRAM
from tools.gpu_check.steps import ENVIRONMENT, GROUPS

ROOT = Path(__file__).parents[2]
RUN_SECONDS = 1800
NAMES = [(group.name, name) for group in (ENVIRONMENT, *GROUPS) for name in group.checks]

# What no stand-in can show.
NO_DEVICE = {"write", "copy", "CuPy standard_normal", "CuPy random"}
# Runs what it shall watch.
SANITIZER = f"""#!/bin/sh
while [ "$1" != "{sys.executable}" ]; do shift; done
echo "========= COMPUTE-SANITIZER"
"$@" || exit 1
echo "========= ERROR SUMMARY: 0 errors"
"""


def run_gpu_check(
    *arguments: str, folder: Path, **variables: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Return what `make gpu-check` printed, and its file."""
    out = folder / "out.json"
    done = subprocess.run(
        ["make", "gpu-check", f"GPU_PYTHON={sys.executable}", f"OUT={out}", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    return done, json.loads(out.read_text())


@pytest.fixture(scope="module")
def rehearsed(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """A rehearsal of everything."""
    folder = tmp_path_factory.mktemp("gpu-check")
    (folder / PROGRAM).write_text(SANITIZER)
    (folder / PROGRAM).chmod(0o755)
    path = os.pathsep.join((str(folder), os.environ["PATH"]))
    return run_gpu_check("ARGS=--rehearse", folder=folder, PATH=path)


def is_of_a_framework(name: str) -> bool:
    """Return whether a check needs PyTorch or JAX; tests/frameworks runs those."""
    return name.endswith((" to torch", " to jax")) or name.startswith("torch ")


Rehearsed = tuple[subprocess.CompletedProcess[str], dict[str, Any]]


def test_every_step_is_rehearsed_or_said_to_be_not_run_for_lack_of_a_device(
    rehearsed: Rehearsed,
) -> None:
    done, content = rehearsed
    results = {(each["group"], each["name"]): each for each in content["results"]}
    assert list(results) == NAMES
    assert len(content["results"]) == len(NAMES)
    others = {
        name: (each["status"], each["detail"])
        for (_, name), each in results.items()
        if each["status"] != "passed" and not is_of_a_framework(name)
    }
    assert others == {
        "wheels": ("not run", "no WHEELS given"),
        **dict.fromkeys(NO_DEVICE, ("not run", "no device")),
    }
    assert done.returncode == 0, done.stdout


def test_each_step_has_its_line_and_the_table_counts_them(rehearsed: Rehearsed) -> None:
    done, _ = rehearsed
    lines = done.stdout.splitlines()
    for group, name in NAMES:
        assert sum(line.startswith(f"{group}: {name}: ") for line in lines) == 1, (group, name)
    for group, count in Counter(group for group, _ in NAMES).items():
        (row,) = [line.split() for line in lines if line.split()[:1] == [group]]
        assert sum(map(int, row[1:])) == count
    assert any(line.startswith("normal_float32 ") for line in lines)


def test_the_file_says_what_it_ran_on(rehearsed: Rehearsed) -> None:
    _, content = rehearsed
    machine = content["machine"]
    assert machine["device"] == "Stub 0"
    assert machine["libraries"]["numpy"]
    assert machine["seconds"] > 0
    starts = next(r for r in content["results"] if r["name"] == "start, cold and cached")
    assert starts["figures"]["cached, the device's kernels, s"] > 0


def test_without_a_device_every_step_is_not_run_by_name(tmp_path: Path) -> None:
    done, content = run_gpu_check(folder=tmp_path, CUDA_VISIBLE_DEVICES="")
    # Make's own code for any failure.
    assert done.returncode == 2, done.stdout
    found = {(r["group"], r["name"]): r for r in content["results"]}
    assert list(found) == NAMES
    for key, each in found.items():
        if key[0] != ENVIRONMENT.name:
            assert each["status"] == "not run"
            assert each["detail"].startswith("no device: ")
            assert f"{key[0]}: {key[1]}: not run: no device: " in done.stdout


def test_a_group_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.gpu_check", "--only", "golden,silver"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no group silver" in done.stderr
