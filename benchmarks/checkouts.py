"""The checkouts of seedbed that one run measures: this one, and another one beside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from benchmarks.result import OTHER, OURS

ROOT = Path(__file__).parents[1]

Checkouts = Mapping[str, Path]
"""The folder of each, by the name that its contenders have in the table."""


def checkouts(beside: Path | None) -> Checkouts:
    """Return this checkout, and the one that is measured beside it, if any."""
    return {OURS: ROOT} if beside is None else {OURS: ROOT, OTHER: beside.resolve()}


def import_path(checkout: Path) -> dict[str, str]:
    """Return the variable that makes a process import a checkout's seedbed."""
    folders = [str(checkout / "client"), str(checkout / "server")]
    return {"PYTHONPATH": os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")])}
