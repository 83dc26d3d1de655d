"""Plays a newcomer: installs the wheel into clean environments, and runs what the documents say.

    python -m tests.newcomer [--python python3.12] [--extra engine]

Nothing of the checkout is seen by what runs: the environments and the folder that commands run in
are temporary. Prints how long each step took; the first that fails ends it, with its output.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.newcomer.environment import ROOT, Environment, FailedError
from tests.newcomer.visits import VISITS, Visit


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, and return 0, or 1 if something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.newcomer", description=__doc__)
    parser.add_argument(
        "--python",
        action="append",
        help="an interpreter; may be given several times (default: this one)",
    )
    parser.add_argument(
        "--visit",
        action="append",
        choices=list(VISITS),
        help="what to install and try; may be given several times (default: all but frameworks)",
    )
    options = parser.parse_args(arguments)
    names = options.visit or [name for name, visit in VISITS.items() if not visit.is_heavy]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = _wheel(folder / "wheel")
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
        for python in options.python or [sys.executable]:
            for visit in names:
                if not _is_fine(Path(folder, f"{Path(python).name}-{visit}"), python, wheel, visit):
                    return 1
    return 0


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", folder], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _is_fine(folder: Path, python: str, wheel: Path, name: str) -> bool:
    visit: Visit = VISITS[name]
    print(f"\n{python}, {name}: seedbed[{','.join(visit.extras)}]", flush=True)
    try:
        with Environment.made(folder, python, wheel, visit.extras) as environment:
            visit.run(environment)
    except FailedError as error:
        print(f"FAILED: {error}", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
