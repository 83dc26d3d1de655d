"""Ask whether what the container image installs has known vulnerabilities.

    python -m tools.audit_image

Fails for a vulnerability that another version mends. Says "not run" where the service that knows
them does not answer: that is no failure, as tests may run without a network.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.lock_image import ALL

# Of one lock; a service that does not answer takes some minutes to be given up.
AUDIT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an audit found."""

    lines: list[str]
    is_run: bool = True
    is_failed: bool = False


def main(options: Sequence[str] = ()) -> int:
    """Audit every lock and return the exit code; options go to pip-audit."""
    verdicts = []
    for lock in ALL:
        verdict = judge(*run_audit(lock.path, options))
        print(*(f"{lock.path.name}: {line}" for line in verdict.lines), sep="\n", flush=True)
        verdicts.append(verdict)
        if not verdict.is_run:
            break
    return int(any(verdict.is_failed for verdict in verdicts))


def run_audit(path: Path, options: Sequence[str]) -> tuple[str, str]:
    """Return what pip-audit writes to its standard output and to its standard error."""
    words = [
        *(sys.executable, "-m", "pip_audit", "--requirement", str(path), *options),
        # The locks are whole, so nothing has to be installed to find out what they mean.
        *("--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"),
    ]
    try:
        # Its exit code is 0 also where it could ask for nothing.
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=AUDIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer in {AUDIT_SECONDS:g} s"
    return done.stdout, done.stderr


def judge(output: str, errors: str) -> Verdict:
    """Return what an audit's output means."""
    try:
        packages = json.loads(output)["dependencies"]
    except ValueError:
        reason = errors.strip().splitlines()[-1:] or ["no output"]
        return Verdict([f"not run: {reason[0]}"], is_run=False)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return Verdict(
            ["not run: the vulnerability service knows none of the packages"], is_run=False
        )
    found = [
        (package, each) for package in packages if "vulns" in package for each in package["vulns"]
    ]
    lines = [f"{len(packages) - len(unknown)} packages, {len(found)} known vulnerabilities"]
    if unknown:
        lines.append(f"not known to the vulnerability service: {', '.join(unknown)}")
    lines += [describe(package, vulnerability) for package, vulnerability in found]
    return Verdict(lines, is_failed=any(each["fix_versions"] for _, each in found))


def describe(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    """Return one line about a vulnerability."""
    fixed = ", ".join(vulnerability["fix_versions"])
    remedy = f"mended in {fixed}: make lock" if fixed else "no version mends it yet"
    return f"{package['name']} {package['version']}: {vulnerability['id']}, {remedy}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
