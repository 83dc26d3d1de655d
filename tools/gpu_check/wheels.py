"""The libraries that seedbed needs: which are missing here, and wheels that bring them.

    python -m tools.gpu_check.wheels FOLDER 3.12

downloads them, with what they need, for a Python of that version on Linux.
"""

import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What is installed beside the SDK to run everything; the contract suite needs pytest.
EXTRAS = ("engine", "server")
ALSO = ("pytest>=8",)
# Pip takes no range of glibc versions; these are those that wheels are built for.
PLATFORMS = ("2_17", "2_24", "2_27", "2_28", "2_31", "2_34")


def requirements() -> list[str]:
    """Return what pyproject.toml asks for, such as ``numpy>=1.26``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    found = [*project["dependencies"], *(each for extra in EXTRAS for each in extras[extra]), *ALSO]
    return [each for each in found if not each.startswith("seedbed[")]


def missing(needed: Sequence[str], path: Sequence[str] | None = None) -> list[str]:
    """Return the requirements that are not met, each with what is there.

    Args:
        needed: requirements.
        path: folders to look in; None is where Python imports from.
    """
    return [
        f"{requirement} ({version or 'not installed'})"
        for requirement in needed
        if not _is_met(requirement, version := _version(name_of(requirement), path))
    ]


def name_of(requirement: str) -> str:
    """Return the distribution that a requirement names, normalized."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", name.group() if name else requirement).lower()


def chosen(wheels: Path) -> list[Path]:
    """Return the wheels of a folder that fit this Python and bring what is missing or too old."""
    needed = {name_of(each): each for each in requirements()}
    found: dict[str, tuple[Any, Path]] = {}
    for wheel in wheels.glob("*.whl"):
        name, version, *_ = wheel.name.split("-")
        name = name_of(name)
        if _is_met(needed.get(name, name), _version(name, None)) or not _fits(wheel):
            continue
        number = _packaging("version").Version(version)
        if name not in found or number > found[name][0]:
            found[name] = number, wheel
    return sorted(wheel for _, wheel in found.values())


def install(wheels: Sequence[Path], target: Path) -> list[str]:
    """Install wheels into a folder, and return what pip said of those that it refused."""
    if not wheels or not _pip(*map(str, wheels), target=target):
        return []
    # One that is refused stops all.
    refused = [(wheel, _pip(str(wheel), target=target)) for wheel in wheels]
    return [f"{wheel.name}: {reason}" for wheel, reason in refused if reason]


def download(folder: Path, version: str) -> int:
    """Download every requirement for a Python of a version, and return pip's exit code."""
    command = [sys.executable, "-m", "pip", "download", "--dest", str(folder), "--quiet"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={version}"]
    command += [f"--platform=manylinux_{each}_x86_64" for each in PLATFORMS]
    command += ["--platform=manylinux2014_x86_64", *requirements()]
    return subprocess.run(command, check=False).returncode


def _version(name: str, path: Sequence[str] | None) -> str | None:
    found = (
        metadata.distributions(name=name)
        if path is None
        else metadata.distributions(name=name, path=list(path))
    )
    return next((each.version for each in found), None)


def _is_met(requirement: str, version: str | None) -> bool:
    if version is None:
        return False
    specifier = _packaging("requirements").Requirement(requirement).specifier
    return bool(specifier.contains(version, prereleases=True))


def _fits(wheel: Path) -> bool:
    """Return whether a wheel is for this Python; a folder may be for several."""
    tags = _packaging("utils").parse_wheel_filename(wheel.name)[3]
    return not tags.isdisjoint(_packaging("tags").sys_tags())


def _packaging(module: str) -> Any:
    """Return a module of packaging, which need not be there itself: pip has a copy."""
    try:
        return importlib.import_module(f"packaging.{module}")
    except ModuleNotFoundError:
        return importlib.import_module(f"pip._vendor.packaging.{module}")


def _pip(*wheels: str, target: Path) -> str:
    """Return nothing if pip installed the wheels, else its last line."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-compile", "--no-cache-dir", "--disable-pip-version-check", "--upgrade"]
    done = subprocess.run(
        [*command, "--target", str(target), *wheels],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = done.stderr.strip() or f"pip ended with {done.returncode}"
    return "" if done.returncode == 0 else said.splitlines()[-1]


if __name__ == "__main__":
    sys.exit(download(Path(sys.argv[1]), sys.argv[2]))
