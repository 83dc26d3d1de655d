"""The shell commands of a page, run as a reader would: one after the other, in an empty folder.

    python -m tests.page_commands PAGE...

Blocks marked ``sh`` are run by bash; a ``text`` block right below one is what it prints, with
``...`` for what differs. Ports are exchanged for free ones.
"""

import doctest
import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.free_addresses import free_addresses

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
PORT = re.compile(r"\b5005\d\b")
END = "--- end of block ---"
RUN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that a page shows, and what it says that they print; None if it says nothing."""

    commands: str
    printed: str | None


def blocks_of(page: str) -> list[Block]:
    """Return the commands of a page, in order."""
    return [Block(match[1], match[2]) for match in BLOCK.finditer(page)]


def run_commands(page: Path, folder: Path) -> None:
    """Run the commands of a page in a folder, and compare what they print with what it says.

    Raises:
        AssertionError: if one fails, or prints something else.
    """
    blocks = blocks_of(page.read_text(encoding="utf-8"))
    assert blocks, f"{page} has no commands"
    script = "set -euo pipefail\n" + "".join(f"{each.commands}\necho '{END}'\n" for each in blocks)
    printed, errors = _bash(_with_free_ports(script), folder)
    parts = printed.split(f"{END}\n")
    assert len(parts) == len(blocks) + 1, f"{page}: a command failed\n{printed}{errors}"
    for block, got in zip(blocks, parts, strict=False):
        if block.printed is not None:
            assert doctest.OutputChecker().check_output(
                block.printed, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            ), f"{page}: {block.commands}prints\n{got}instead of\n{block.printed}{errors}"


def _bash(script: str, folder: Path) -> tuple[str, str]:
    """Return what a script prints, and end what it has left running."""
    program = Path(sys.executable).parent
    environment = {key: value for key, value in os.environ.items() if key != "SEEDBED_TARGET"}
    path = [str(ROOT / "client"), str(ROOT / "server")]
    printed, errors = folder / ".printed", folder / ".errors"
    # Files, not pipes: a server that is left running would hold a pipe open.
    with (
        printed.open("wb") as output,
        errors.open("wb") as complaints,
        subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env={
                **environment,
                "PATH": f"{program}{os.pathsep}{environment['PATH']}",
                "PYTHONPATH": os.pathsep.join(path),
                "REPOSITORY": str(ROOT),
            },
            stdout=output,
            stderr=complaints,
            start_new_session=True,
        ) as process,
    ):
        try:
            process.wait(RUN_SECONDS)
        finally:
            with suppress(ProcessLookupError):  # it has left nothing running
                os.killpg(process.pid, signal.SIGKILL)
    return printed.read_text(), errors.read_text()


def _with_free_ports(script: str) -> str:
    """Exchange each port of the script for one that is free."""
    ports = sorted(set(PORT.findall(script)))
    addresses = free_addresses(len(ports))
    free = {
        port: address.rpartition(":")[2] for port, address in zip(ports, addresses, strict=True)
    }
    return PORT.sub(lambda match: free[match[0]], script)


def main() -> None:
    """Run the commands of the pages that are named."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            run_commands(Path(name), Path(folder))
        print(f"{name}: its commands run")


if __name__ == "__main__":
    main()
