"""Kernels are compiled when needed, by other processes, and by this one where those fail."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numba
import pytest
from numba.core.registry import cpu_target

from seedbed_server.backends import cpu_kernels
from seedbed_server.backends.compilation import KernelError
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


FORKED_MEANWHILE = """
import os, signal, sys, threading, time
from seedbed_server.backends import cpu_kernels

of_thread, of_child = cpu_kernels.CpuKernels(), cpu_kernels.CpuKernels()
begun = threading.Event()
compile_kernel = cpu_kernels.compile_kernel

def slowly(*arguments):
    begun.set()
    time.sleep(0.2)  # so that the other thread forks
    return compile_kernel(*arguments)

cpu_kernels.compile_kernel = slowly
thread = threading.Thread(target=of_thread.load, args=[["uniform_float32"]])
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    of_child.load(["uniform_float32"])
    os._exit(0)
thread.join()
for _ in range(3000):
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        sys.exit(os.waitstatus_to_exitcode(status))
    time.sleep(0.1)
os.kill(child, signal.SIGKILL)
sys.exit("the child hangs")
"""
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"


def run(cache: Path, program: str, *arguments: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={
            "SEEDBED_KERNEL_CACHE_DIR": str(cache),
            "PYTHONPATH": ":".join(sys.path),
            **variables,
        },
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


def test_kernels_of_another_processor_or_of_other_settings_are_not_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cpu_kernels, "cache_directory", lambda: tmp_path)
    kept = cpu_kernels._path("uniform_float32")
    assert kept is not None
    kept.touch()
    assert cpu_kernels.is_kept("uniform_float32")
    for name, value in (("OPT", 0), ("BOUNDSCHECK", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(numba.config, name, value)
            assert not cpu_kernels.is_kept("uniform_float32")
    monkeypatch.setattr(cpu_target.target_context.codegen(), "magic_tuple", lambda: ("x", "y", "z"))
    assert not cpu_kernels.is_kept("uniform_float32")


def test_a_kernel_from_the_cache_takes_nothing_that_only_compiling_needs(tmp_path: Path) -> None:
    run(tmp_path, SAMPLE)
    unused = "numba.np.linalg", "numba.typed.typedlist", "scipy.linalg"
    found = run(tmp_path, f"import sys{SAMPLE}print({{*{unused}}} & {{*sys.modules}})")
    assert found == "set()\n"


def test_a_process_that_is_forked_while_another_thread_loads_a_kernel_loads_it_too(
    tmp_path: Path,
) -> None:
    run(tmp_path, SAMPLE)
    command = [sys.executable, "-c", FORKED_MEANWHILE]
    environment = {"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    assert subprocess.run(command, env=environment, check=False).returncode == 0


def test_where_the_disk_is_full_kernels_are_compiled_and_not_kept(tmp_path: Path) -> None:
    _, missed, told = json.loads(run(tmp_path, NO_ROOM + SCRIPT, '[["uniform_float32"]]'))
    assert missed == ["uniform_float32"]
    assert told[1].endswith(" s, not kept")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_files_of_the_current_folder_are_no_modules(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("import pathlib; pathlib.Path('trace').touch()\n")
    (tmp_path / "llvmlite.py").write_text("import pathlib; pathlib.Path('trace').touch()\n")
    # As the console script: Python itself does not look there.
    program = f"import os; os.chdir({str(tmp_path)!r}); import sys; sys.path.remove('')\n{SCRIPT}"
    _, missed, _ = json.loads(run(tmp_path / "cache", program, '[["uniform_float32"]]'))
    assert missed == []
    assert not (tmp_path / "trace").exists()


def test_modules_are_found_where_the_process_has_found_them(tmp_path: Path) -> None:
    program = f"import sys; sys.path[:] = {sys.path}\n{SCRIPT}"
    found = run(tmp_path, program, '[["uniform_float32"]]', PYTHONPATH="", PYTHONNOUSERSITE="1")
    _, missed, _ = json.loads(found)
    assert missed == []


def test_settings_of_numbas_cache_are_not_for_ours(tmp_path: Path) -> None:
    variables = {"NUMBA_CACHE_LOCATOR_CLASSES": "NoSuch", "NUMBA_CACHE_DIR": str(tmp_path / "a")}
    for missing in (1, 0):
        told = json.loads(run(tmp_path / "b", SCRIPT, '[["uniform_float32"]]', **variables))[2]
        assert bool(told) is bool(missing)
    assert not (tmp_path / "a").exists()


def test_where_numba_must_not_compile_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(KernelError, match="NUMBA_DISABLE_JIT"):
        CpuKernels().load(("uniform_float32",))


def test_a_frozen_program_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(cpu_kernels, "cache_directory", lambda: tmp_path)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    cpu_kernels._compile_elsewhere(["uniform_float32"])
    assert not trace.exists()
    monkeypatch.setattr(sys, "frozen", False)
    cpu_kernels._compile_elsewhere(["uniform_float32"])
    assert trace.exists()


def test_processes_that_compile_at_the_same_time_do_no_harm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, json.dumps([["uniform_float32", "normal_float32"]])]
    environment = {"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    processes = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(300) for process in processes] == [0, 0, 0]
    assert loaded(tmp_path, "uniform_float32", "normal_float32")[1:] == ([], [])


def emptied(content: bytes) -> bytes:
    """Return nothing, as after a power failure."""
    return content[:0]


def cut_off(content: bytes) -> bytes:
    """Return the first bytes."""
    return content[:100]


def a_bit_changed(content: bytes) -> bytes:
    """Return the same with another bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("damaged", [emptied, cut_off, a_bit_changed])
def test_a_cache_that_was_damaged_is_made_anew(
    tmp_path: Path, damaged: Callable[[bytes], bytes]
) -> None:
    run(tmp_path, SAMPLE)
    (code,) = tmp_path.rglob("*.kernel")
    code.write_bytes(damaged(code.read_bytes()))
    assert "is damaged" in run(tmp_path, SAMPLE)
    assert run(tmp_path, SAMPLE) == ""


def test_kernels_that_this_process_has_compiled_count_as_cached(tmp_path: Path) -> None:
    alone = f"import sys; sys.executable = ''\n{SCRIPT}"
    first = json.loads(run(tmp_path, alone, '[["uniform_float32"]]'))
    assert first[1] == ["uniform_float32"]
    assert loaded(tmp_path, "uniform_float32")[1:] == ([], [])
