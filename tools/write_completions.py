"""Writes what makes shells complete the command line, from its parser.

    python tools/write_completions.py [--check]

The scripts are part of the package, so that completion needs nothing else installed. With `--check`
nothing is written, and the exit code is 1 if one is not up to date.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab

from seedbed.cli.completion import SHELLS
from seedbed.cli.program import command_line
from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import INITIALIZERS

FOLDER = Path(__file__).parents[1] / "client" / "seedbed" / "cli" / "completions"
FILES = ("FILE", "FOLDER", "MANIFEST")


def scripts() -> dict[Path, str]:
    """Return the text of each script by its path."""
    return {FOLDER / f"seedbed.{shell}": _script(shell) for shell in SHELLS}


def _script(shell: str) -> str:
    program = command_line()
    for action in _actions(program):
        words = str(action.metavar or "").replace(".", "|").split("|")
        if any(word in FILES for word in words):
            action.complete = shtab.FILE
        elif "INITIALIZER" in words:
            action.choices = sorted(each.name() for each in INITIALIZERS.values())
        elif action.dest == "dtype":
            action.choices = [each.value for each in Dtype]
    return shtab.complete(program, shell=shell).rstrip() + "\n"


def _actions(program: argparse.ArgumentParser) -> Iterator[Any]:
    for action in program._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for each in action.choices.values():
                yield from _actions(each)
        else:
            yield action


def main() -> int:
    """Write them, or compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare and write nothing")
    is_check = options.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    stale = [
        path
        for path, text in scripts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if is_check:
            print(f"{path} is not up to date: python tools/write_completions.py", file=sys.stderr)
        else:
            path.write_text(scripts()[path], encoding="utf-8")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
