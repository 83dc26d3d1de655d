"""The report: a line for each check, a table, a JSON file."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.gpu_check.result import NO_DEVICE, Result

RATE = "GB/s"
WRITE = "write"
PEERS = (
    ("uniform_float32", "torch uniform_"),
    ("uniform_float32", "CuPy random"),
    ("normal_float32", "torch normal_"),
    ("normal_float32", "CuPy standard_normal"),
    ("normal_float32", "torch trunc_normal_"),
)
"""Kernels, and what does the same."""
NOT_PROVED = 2
"""The exit code where there is no device."""


def line(result: Result) -> str:
    """Return the line that is printed when a check has ended."""
    end = f": {result.detail}" if result.detail else ""
    time = f" ({result.seconds:.1f} s)" if result.seconds >= 0.05 else ""
    return f"{result.group}: {result.name}: {result.status}{end}{time}"


def table(results: Sequence[Result], facts: Mapping[str, object]) -> str:
    """Return what is printed at the end: the machine, the groups, the rates, what did not pass."""
    lines = [f"{name}: {value}" for name, value in facts.items() if not isinstance(value, dict)]
    lines += ["", f"{'group':14}{'passed':>8}{'failed':>8}{'stopped':>9}{'not run':>9}"]
    for group in dict.fromkeys(result.group for result in results):
        count = Counter(result.status for result in results if result.group == group)
        lines.append(
            f"{group:14}{count['passed']:8}{count['failed']:8}"
            f"{count['stopped']:9}{count['not run']:9}"
        )
    lines += ["", *_rates(results)]
    lines += [line(result) for result in results if result.status in {"failed", "stopped"}]
    return "\n".join(lines)


def _rates(results: Sequence[Result]) -> list[str]:
    """Return the throughput table, beside the bandwidth at which the card writes."""
    rated = {r.name: float(r.figures[RATE]) for r in results if RATE in r.figures}
    if not rated:
        return []
    write = rated.get(WRITE)
    lines = [f"{'':40}{RATE:>10}{'of writing':>12}"]
    for name, rate in rated.items():
        part = f"{rate / write:12.0%}" if write else ""
        lines.append(f"{name:40}{rate:10.4g}{part}")
    for ours, theirs in PEERS:
        if ours in rated and theirs in rated:
            lines.append(f"{ours} is {rated[ours] / rated[theirs]:.2f} times as fast as {theirs}")
    return [*lines, ""]


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 if nothing failed or was stopped, 1 if something did, 2 without a device."""
    if any(result.status in {"failed", "stopped"} for result in results):
        return 1
    opened = [result for result in results if result.group == "device"]
    return NOT_PROVED if any(r.detail.startswith(NO_DEVICE) for r in opened) else 0


def write(path: Path, results: Sequence[Result], facts: Mapping[str, object]) -> None:
    """Write everything to a JSON file."""
    content = {"machine": dict(facts), "results": [result.as_json() for result in results]}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
