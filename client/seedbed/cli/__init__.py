"""The ``seedbed`` command: sample, fetch, describe, digest and verify from a shell."""

from seedbed.cli.program import main

__all__ = ["main"]
