"""The pages of the reference have an entry of each public name, and say what the code says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import seedbed as sb
from tools import write_commands

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
QUOTED = re.compile(r"^### `(.+)`$", re.MULTILINE)
OPEN = "..."


def test_every_name_of_seedbed_has_one_entry() -> None:
    pages = sorted((ROOT / "docs" / "reference").glob("*.md"))
    entries = [name for page in pages for name in ENTRY.findall(page.read_text("utf-8"))]
    assert len(entries) == len(set(entries))
    own = {name.removeprefix("seedbed.") for name in entries if name.count(".") == 1}
    frameworks = {"jax", "keras", "mlx", "torch"}
    assert own == set(sb.__all__) | frameworks


def test_the_page_of_commands_is_what_the_program_takes() -> None:
    page = write_commands.PAGE.read_text(encoding="utf-8")
    assert page == write_commands.page(), "run python tools/write_commands.py"


def texts() -> Iterator[str]:
    """Yield the texts in the code, with `...` where something is put in."""
    for path in [*ROOT.glob("client/seedbed/**/*.py"), *ROOT.glob("server/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else OPEN
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.fixture(scope="module")
def code() -> list[str]:
    """Every text in the code."""
    return list(texts())


def is_said(quoted: str, code: list[str]) -> bool:
    """Return whether the pieces of a quoted text stand in one text of the code, in order."""
    pieces = [re.escape(piece.strip(" `.:")) for piece in quoted.split(OPEN)]
    pattern = re.compile(".*".join(filter(None, pieces)), re.DOTALL)
    return any(pattern.search(text) for text in code)


QUOTES = QUOTED.findall((ROOT / "docs" / "troubleshooting.md").read_text("utf-8"))


@pytest.mark.parametrize("quoted", QUOTES)
def test_a_text_of_troubleshooting_is_one_that_the_code_has(quoted: str, code: list[str]) -> None:
    assert is_said(quoted, code)


def test_a_text_that_the_code_has_not_is_noticed(code: list[str]) -> None:
    assert len(QUOTES) > 15
    assert not is_said("the frobnicator of ... is not there", code)
