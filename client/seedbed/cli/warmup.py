"""``seedbed warmup``: compiles the engine's kernels ahead of time."""

import argparse
import importlib.metadata
import time

from seedbed.cli.result import CommandError, Result
from seedbed.reports.text import pairs, size_text

NAME = "warmup"
SUMMARY = "compile the embedded engine's kernels, which a first call would otherwise wait for"
DESCRIPTION = (
    "Compile the kernels of the engine in the process, all that its cache lacks, and say where "
    "they are kept: $SEEDBED_KERNEL_CACHE_DIR, or a folder of the user's. Later processes only "
    "load them. For an image, run it in the build."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments of its own."""


def run(options: argparse.Namespace) -> Result:
    """Compile, and report where the kernels are."""
    del options
    found = importlib.metadata.entry_points(group="seedbed.warm_up", name="embedded")
    begun = time.perf_counter()
    try:
        warm_up = next(iter(found)).load()
    except (ImportError, StopIteration):
        raise CommandError("the engine is missing: pip install 'seedbed[engine]'") from None
    folder = warm_up()
    seconds = time.perf_counter() - begun
    if folder is None:
        raise CommandError(
            "kernels cannot be kept: set SEEDBED_KERNEL_CACHE_DIR to a folder that has room, and "
            "that only this user can write to"
        )
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    fields = {"folder": str(folder), "size_bytes": size_bytes, "seconds": round(seconds, 3)}
    rows = [
        ("kernels", f"{folder} ({size_text(size_bytes)})"),
        ("time", f"{seconds:.1f} s"),
    ]
    return Result(fields, pairs(rows))
