"""``seedbed info``: who does the work."""

import argparse
import dataclasses

from seedbed.cli.arguments import client_of
from seedbed.cli.result import Result
from seedbed.reports.text import pairs, printable
from seedbed.spec.info import Limits

NAME = "info"
SUMMARY = "say what does the work: version, device, limits"
DESCRIPTION = (
    "Say what a server, or the engine in this process, is: version, numerics, device and limits."
)

# What the embedded engine gives for a limit that it has not.
UNLIMITED = 2**63 - 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments of its own."""


def run(options: argparse.Namespace) -> Result:
    """Ask, and report."""
    with client_of(options) as client:
        found = client.server_info(timeout_seconds=options.timeout_seconds)
    rows = [
        ("target", options.target),
        ("version", found.version),
        ("numerics", ", ".join(found.numerics)),
        ("backend", found.backend),
        ("device", found.device),
        ("threads", str(found.threads)),
        ("dtypes", ", ".join(dtype.value for dtype in found.dtypes)),
        ("digests", ", ".join(found.digest_algorithms)),
        *[(name.replace("_", " "), text) for name, text in _limits(found.limits)],
    ]
    shown = pairs((label, printable(text)) for label, text in rows)
    return Result({"target": options.target, "info": found}, shown)


def _limits(limits: Limits) -> list[tuple[str, str]]:
    values = {field.name: getattr(limits, field.name) for field in dataclasses.fields(limits)}
    return [
        (name, "none" if value >= UNLIMITED else f"{value:,}") for name, value in values.items()
    ]
