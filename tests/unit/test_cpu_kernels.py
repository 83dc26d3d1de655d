"""Kernels are compiled by several processes, and by this one where those fail."""

import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.registry import cpu_target

from seedbed_server.backends import cpu_kernels

SCRIPT = """
from seedbed_server.backends import cpu_kernels
cpu_kernels.available_threads = lambda: 2
kernels = cpu_kernels.compiled_kernels()
print(*sorted(name for name, kernel in kernels.items() if kernel.stats.cache_misses))
"""


def compiled_by_the_process_itself(cache: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"SEEDBED_KERNEL_CACHE_DIR": str(cache), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_first_start_compiles_in_other_processes_and_a_second_one_not_at_all(
    tmp_path: Path,
) -> None:
    assert compiled_by_the_process_itself(tmp_path) == []
    assert compiled_by_the_process_itself(tmp_path) == []


@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program", ""])
def test_other_processes_that_fail_do_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    cpu_kernels._compile_elsewhere(tmp_path / "complete")
    assert not list(tmp_path.iterdir()), "the next start tries again"


def test_kernels_of_another_processor_are_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled_by_the_process_itself(tmp_path)
    (marker,) = tmp_path.glob("*/complete-*")
    assert cpu_kernels._processor_digest() in marker.name
    monkeypatch.setattr(cpu_target.target_context.codegen(), "magic_tuple", lambda: ("x", "y", "z"))
    assert cpu_kernels._processor_digest() not in marker.name
