"""Programs of other projects that the tests of deploy/ run."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def program(name: str) -> str:
    """Return where a program of deploy/debian-packages.txt is."""
    # Debian keeps servers out of a user's PATH.
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert path is not None, f"{name} is missing: see deploy/debian-packages.txt"
    return path


def run(*command: str | Path, folder: Path = DEPLOY) -> str:
    """Return what a program prints; fail with all of it unless it ends well."""
    ended = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def read_yaml(path: Path) -> Any:
    """Return the one document of a YAML file."""
    return yaml.safe_load(path.read_text())
