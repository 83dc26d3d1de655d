"""Plays a newcomer: installs the wheel into clean environments, and runs what the documents say.

    python -m tests.newcomer [--python python3.12] [--visit engine]

Nothing of the checkout is seen by what runs: the environments and the folder that commands run in
are temporary. Prints how long each step took; the first that fails ends it, with its output.
Variables of pip's count, such as PIP_CONSTRAINT: a file that pins torch to a build without CUDA.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.newcomer.environment import Environment, FailedError
from tests.newcomer.visits import VISITS, Visit
from tests.newcomer.wheel import built_wheel


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
    with tempfile.TemporaryDirectory() as folder:
        wheel = built_wheel(Path(folder))
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
        for python in options.python or [sys.executable]:
            for visit in names:
                # Its own: an environment with a framework takes gigabytes.
                with tempfile.TemporaryDirectory() as place:
                    if not _is_fine(Path(place), python, wheel, visit):
                        return 1
    return 0


def _is_fine(folder: Path, python: str, wheel: Path, name: str) -> bool:
    visit: Visit = VISITS[name]
    extras = f"[{','.join(visit.extras)}]" if visit.extras else ""
    required = " ".join([f"seedbed{extras}", *visit.beside])
    print(f"\n{python}, {name}: {required} by {visit.installer}", flush=True)
    try:
        requirements = [f"{wheel}{extras}", *visit.beside]
        with Environment.made(folder, python, requirements, visit.installer) as environment:
            visit.run(environment)
    except FailedError as error:
        print(f"FAILED: {error}", flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
