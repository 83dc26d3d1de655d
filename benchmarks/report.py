"""The file of a run's results, for programs and for later runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.result import Result


def write(path: Path, results: Sequence[Result], circumstances: dict[str, Any]) -> None:
    """Write results, with the circumstances under which they were measured."""
    document = {**circumstances, "results": [result.to_dict() for result in results]}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> list[Result]:
    """Return the results of an earlier run."""
    return [
        Result.from_dict(each) for each in json.loads(path.read_text(encoding="utf-8"))["results"]
    ]
