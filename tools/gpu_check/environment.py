"""The environment of the checks: a temporary folder, before all else that Python imports.

The interpreter's own packages are not touched.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.gpu_check import wheels
from tools.gpu_check.result import Result
from tools.gpu_check.steps import ENVIRONMENT

ROOT = wheels.ROOT

# A module where CuPy would be: whoever imports it gets the rehearsal's.
STAND_IN = "from tools.gpu_check.rehearsal import install\n\ninstall()\n"
# Other packages are installed with a folder of tests beside them, and would hide ours.
TESTS = f"__path__ = [{str(ROOT / 'tests')!r}]\n"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the checks run."""

    folder: Path
    """For files of this run."""
    variables: dict[str, str]
    """Of the processes that run them."""
    results: list[Result]
    """How it could be set up."""


@contextmanager
def environment(carried: Path | None, *, rehearses: bool) -> Iterator[Environment]:
    """Yield what checks run in; it is removed afterwards.

    Args:
        carried: a folder of wheels, from which what is missing is installed.
        rehearses: whether stand-ins take the place of CuPy and numba-cuda.
    """
    # Folders that a killed process still writes to do not matter.
    with tempfile.TemporaryDirectory(
        prefix="seedbed-gpu-check-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        site = folder / "site"
        (site / "tests").mkdir(parents=True)
        (site / "tests" / "__init__.py").write_text(TESTS)
        _write_metadata(site)
        if rehearses:
            (site / "cupy.py").write_text(STAND_IN)
        installed = _install(carried, site)
        yield Environment(folder, _variables(folder, site), [installed, _libraries(site)])


def _install(carried: Path | None, site: Path) -> Result:
    group, name = ENVIRONMENT.name, ENVIRONMENT.checks[0]
    if carried is None:
        return Result(group, name, "not run", "no WHEELS given")
    try:
        if not carried.is_dir():
            return Result(group, name, "failed", f"{carried} is no folder")
        chosen = wheels.chosen(carried)
        refused = wheels.install(chosen, site)
    except Exception as error:  # noqa: BLE001  # the checks may do without
        return Result(group, name, "failed", f"{type(error).__name__}: {error}")
    if refused:
        return Result(group, name, "failed", "; ".join(refused))
    names = ", ".join(wheel.name for wheel in chosen)
    return Result(group, name, "passed", f"installed {names or 'none: nothing is missing'}")


def _libraries(site: Path) -> Result:
    """Name what is missing; the checks that need it will fail, and the others run."""
    needed = wheels.requirements()
    missing = wheels.missing(needed, [str(site), *sys.path])
    group, name = ENVIRONMENT.name, ENVIRONMENT.checks[1]
    if missing:
        return Result(group, name, "failed", "missing: " + ", ".join(missing))
    return Result(group, name, "passed", f"{len(needed)} are there")


def _write_metadata(site: Path) -> None:
    """Write what an installation of seedbed would leave: its version, and its entry points."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    folder = site / f"seedbed-{project['version']}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: seedbed\nVersion: {project['version']}\n"
    )
    lines: list[str] = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")


def _variables(folder: Path, site: Path) -> dict[str, str]:
    ours = [site, ROOT, ROOT / "client", ROOT / "server"]
    theirs = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*map(str, ours), *theirs]),
        # A crash in a library says where.
        "PYTHONFAULTHANDLER": "1",
        # Empty, so that the first group shows what a first start takes.
        "SEEDBED_KERNEL_CACHE_DIR": str(folder / "kernels"),
        # JAX would take three quarters of the device's memory, and has no float64 by itself.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "JAX_ENABLE_X64": "1",
        # Whatever plugins are installed, they are not ours.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def nvidia_smi(fields: str) -> str:
    """Return what nvidia-smi says of the first GPU, or nothing."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout else ""
