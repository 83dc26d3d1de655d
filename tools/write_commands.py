"""Write docs/reference/commands.md: python tools/write_commands.py.

It comes from the options of the command `seedbed`; a test compares the two.
"""

import argparse
import sys
from pathlib import Path

from seedbed.cli.arguments import add_common_options
from seedbed.cli.parser import Parser
from seedbed.cli.program import COMMANDS, LOCAL

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
HEAD = """\
# Commands

What `seedbed COMMAND --help` says. [The tutorial](../tutorials/command-line.md) shows the commands
at work; the server's own options are its [settings](../operations.md#settings).
"""


def page() -> str:
    """Return the page: a section for each command, and one for what all of them take."""
    sections = [HEAD]
    for module in COMMANDS:
        parser = Parser(prog=f"seedbed {module.NAME}")
        module.add_arguments(parser)
        sections.append(f"## seedbed {module.NAME}\n\n{module.DESCRIPTION}\n\n{_table(parser)}")
    common = Parser(add_help=False)
    add_common_options(common, asks_server=True)
    sections.append(f"## Options of every command\n\n{_table(common)}")
    local = ", ".join(f"`{module.NAME}`" for module in LOCAL)
    sections.append(f"Of these, {local} ask no server, and take `--json` alone.\n")
    return "\n".join(sections)


def _table(parser: argparse.ArgumentParser) -> str:
    # Argparse shows what a parser takes nowhere else.
    actions = [each for each in parser._actions if each.dest != "help"]  # noqa: SLF001
    if not actions:
        return "It takes the options of every command, and no others.\n"
    rows = ["| takes | meaning |", "|---|---|", *map(_row, actions)]
    return "".join(f"{row}\n" for row in rows)


def _row(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or _choices(action))
    names = ", ".join(action.option_strings)
    takes = f"{names} {value}".strip().replace("|", "\\|")
    meaning = (action.help or "") % {"default": action.default}
    return f"| `{takes}` | {meaning.replace('|', chr(92) + '|')} |"


def _choices(action: argparse.Action) -> str:
    return f"{{{','.join(action.choices)}}}" if action.choices else action.dest.upper()


def main() -> int:
    """Rewrite the page and return the exit status."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
