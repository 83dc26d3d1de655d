"""The wheel, as a release has it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def built_wheel(folder: Path, home: str = "") -> Path:
    """Build the wheel into a folder, and return where it is.

    Args:
        folder: is made if it is missing.
        home: the project's address, which a release's build is told.
    """
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        env={**os.environ, "SEEDBED_HOME": home},
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel
