"""Write the table of settings in docs/operations.md: python tools/write_settings.py.

It comes from the server's declarations, seedbed_server.settings; a test compares the two.
"""

import re
import sys
from pathlib import Path

from seedbed_server.settings import SETTINGS, Setting
from seedbed_server.settings.kinds import SWITCH

PAGE = Path(__file__).resolve().parent.parent / "docs" / "operations.md"
# The table is all of the lines in cells that follow the heading.
TABLE = re.compile(r"(?<=^### Settings\n\n)(\|.*\n)+", re.MULTILINE)


def table() -> str:
    """Return the table: a row for each setting, in the order of the help."""
    rows = ["| flag | variable | default | meaning |", "|---|---|---|---|", *map(_row, SETTINGS)]
    return "".join(f"{row}\n" for row in rows)


def with_table(page: str) -> str:
    """Return the page with its table replaced by what the declarations give.

    Raises:
        ValueError: if the page has no table below the heading.
    """
    replaced, count = TABLE.subn(lambda _: table(), page)
    if count != 1:
        raise ValueError(f"{PAGE.name} has no table right below '### Settings'")
    return replaced


def _row(setting: Setting) -> str:
    flag = f"{setting.flag} {setting.kind.metavar}"
    if setting.kind is SWITCH:
        flag = setting.flag.replace("--", "--[no-]", 1)
    cells = [f"`{flag}`", f"`{setting.variable}`", setting.default_text, setting.description]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Rewrite the page and return the exit status."""
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
