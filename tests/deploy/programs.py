"""Programs of other projects that the tests of deploy/ run."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def program(name: str) -> str:
    """Return where a program is: of .tools, of .venv, or of Debian's packages."""
    own = [*ROOT.glob(f".tools/*/{name}"), Path(sys.executable).with_name(name)]
    # Debian keeps servers out of a user's PATH.
    path = next((str(each) for each in own if each.is_file()), None)
    path = path or shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert path is not None, f"{name} is missing: try `make venv`, and deploy/debian-packages.txt"
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
