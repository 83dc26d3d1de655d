"""Kernels are compiled when needed, by other processes, and by this one where those fail."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.registry import cpu_target

from seedbed_server.backends import cpu_kernels
from seedbed_server.backends.cpu_kernels import CpuKernels

SCRIPT = """
import json, sys
from seedbed_server.backends import cpu_kernels
cpu_kernels.available_threads = lambda: 2
told = []
kernels = cpu_kernels.CpuKernels(told.append)
kernels.load(*json.loads(sys.argv[1]))
missed = [name for name, kernel in kernels._loaded.items() if kernel.stats.cache_misses]
print(json.dumps([sorted(kernels._loaded), missed, told]))
"""
SAMPLE = """
import os, pty, sys
import seedbed as sb
if sys.argv[1:]:
    _, terminal = pty.openpty()
    sys.stderr = open(terminal, "w")
    sys.stderr.write = sys.stdout.write
sb.GlorotUniform(seed=1)((4, 4))
"""


def run(cache: Path, program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={"SEEDBED_KERNEL_CACHE_DIR": str(cache), "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def loaded(cache: Path, *names: str) -> tuple[list[str], list[str], list[str]]:
    """Load kernels in a new process; return which, those that it compiled, what it told."""
    arguments = [list(names)] if names else []
    found: tuple[list[str], list[str], list[str]] = tuple(
        json.loads(run(cache, SCRIPT, json.dumps(arguments)))
    )
    return found


def test_only_what_is_asked_for_is_compiled_and_only_once(tmp_path: Path) -> None:
    names, missed, told = loaded(tmp_path, "uniform_float32")
    assert (names, missed) == (["uniform_float32"], [])
    assert told[0] == "compiling a kernel for this processor, which happens once ..."
    assert told[1].startswith("compiled a kernel in ")
    assert told[1].endswith(f"kept in {next(tmp_path.iterdir())}")
    assert loaded(tmp_path, "uniform_float32") == (["uniform_float32"], [], [])


def test_a_first_start_compiles_all_in_other_processes_and_a_second_one_none(
    tmp_path: Path,
) -> None:
    assert loaded(tmp_path, "reflect")[1] == []
    names, missed, told = loaded(tmp_path)
    assert (len(names), missed) == (len(CpuKernels()), [])
    assert told[0].startswith(f"compiling {len(names) - 1} kernels ")
    assert loaded(tmp_path)[1:] == ([], [])


def test_a_user_at_a_terminal_is_told_and_a_program_is_not(tmp_path: Path) -> None:
    assert "seedbed: compiling a kernel for this processor" in run(tmp_path / "a", SAMPLE, "tty")
    assert run(tmp_path / "a", SAMPLE, "tty") == ""
    assert run(tmp_path / "b", SAMPLE) == ""


@pytest.mark.parametrize("program", ["/bin/false", "/no/such/program", ""])
def test_other_processes_that_fail_do_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(cpu_kernels, "cache_directory", lambda: tmp_path)
    cpu_kernels._compile_elsewhere(["uniform_float32"])
    assert not list(tmp_path.iterdir()), "the next start tries again"


def test_kernels_of_another_processor_or_environment_are_not_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cpu_kernels, "cache_directory", lambda: tmp_path)
    marker = cpu_kernels._marker("uniform_float32")
    assert marker is not None
    marker.touch()
    assert cpu_kernels._is_cached("uniform_float32")
    real = Path.stat

    def later(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(real(path, follow_symlinks=follow_symlinks))
        found[8] += 1
        return os.stat_result(found)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", later)
        assert cpu_kernels._marker("uniform_float32") != marker
    monkeypatch.setattr(cpu_target.target_context.codegen(), "magic_tuple", lambda: ("x", "y", "z"))
    assert not cpu_kernels._is_cached("uniform_float32")


def test_processes_that_compile_at_the_same_time_do_no_harm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, json.dumps([["uniform_float32", "normal_float32"]])]
    environment = {"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    processes = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(300) for process in processes] == [0, 0, 0]
    assert loaded(tmp_path, "uniform_float32", "normal_float32")[1:] == ([], [])


@pytest.mark.parametrize("size_bytes", [0, 100])
def test_a_cache_that_was_damaged_is_made_anew(tmp_path: Path, size_bytes: int) -> None:
    run(tmp_path, SAMPLE)
    (code,) = tmp_path.rglob("*.nbc")
    with code.open("r+b") as file:
        file.truncate(size_bytes)
    assert "are damaged" in run(tmp_path, SAMPLE)
    assert run(tmp_path, SAMPLE) == ""


def test_kernels_that_this_process_has_compiled_count_as_cached(tmp_path: Path) -> None:
    alone = f"import sys; sys.executable = ''\n{SCRIPT}"
    first = json.loads(run(tmp_path, alone, '[["uniform_float32"]]'))
    assert first[1] == ["uniform_float32"]
    assert loaded(tmp_path, "uniform_float32")[1:] == ([], [])
