"""Puts new tables in the place of old ones, in a page of Markdown."""

from collections.abc import Sequence
from pathlib import Path


class PageError(Exception):
    """A page without a place for a table."""


def write_tables(path: Path, tables: Sequence[str]) -> None:
    """Replace each table of the page that has the header of one of these.

    Raises:
        PageError: if the page has none with that header.
    """
    blocks = path.read_text().rstrip("\n").split("\n\n")
    headers = [block.partition("\n")[0] for block in blocks]
    for table in tables:
        header = table.partition("\n")[0]
        if header not in headers:
            raise PageError(f"{path} has no table with the header {header}")
        blocks[headers.index(header)] = table
    path.write_text("\n\n".join(blocks) + "\n")
