"""The examples in docstrings and documents run."""

import ast
import doctest
import importlib.util
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from tests.page_commands import blocks_of, run_commands
from tests.sdk_modules import sdk_modules
from tests.servers import ServerProcess, serving

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if path.exists() and "node_modules" not in path.parts
]
# Those of other languages run with the clients in them; test_docs_blocks.py reads all others.
RUN = ("index.md", "report.md", "tutorials/command-line.md")
PAGES = [*(ROOT / "docs" / page for page in RUN), *(ROOT / "docs" / "how-to").glob("*.md")]
COMMANDS = sorted(page for page in PAGES if blocks_of(page.read_text(encoding="utf-8")))
DEFAULT_ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):50051")
COMMENT = re.compile(r"#.*")
IMPORT = re.compile(r"^\s*(?:import|from) (\w+)", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What `help` shows of the modules that a user imports.
SHOWN = ("", "aio", "compat/v1", "jax", "keras", "mlx", "torch")
LITERAL = re.compile(r"::\n\n((?: {4}.*\n|\n)+)")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server for the documents that talk to one."""
    with serving() as process:
        yield process


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with the embedded engine as the default, and forget what an example has set."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    yield
    sb.set_default_client(None)


def docstrings() -> Iterator[doctest.DocTest]:
    """Yield every docstring of the SDK that has an example."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in sdk_modules():
        public = {key: getattr(sb, key) for key in sb.__all__}
        yield from (test for test in finder.find(module, extraglobs=public) if test.examples)


@pytest.mark.parametrize("example", list(docstrings()), ids=lambda example: example.name)
def test_the_examples_of_a_docstring_run(example: doctest.DocTest) -> None:
    report: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        example, out=report.append
    )
    assert failed == 0, "".join(report)
    assert tried > 0


@pytest.mark.parametrize("name", SHOWN)
def test_the_code_of_a_modules_docstring_is_a_program(name: str) -> None:
    package = ROOT / "client" / "seedbed" / name
    path = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    [code] = LITERAL.findall(f"{docstring}\n")
    compile(textwrap.dedent(code), str(path), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def runnable_blocks(text: str) -> list[tuple[int, str]]:
    """Return the line and the code of each Python block whose imports are installed here."""
    blocks = [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in BLOCK.finditer(text)]
    return [
        (line, code)
        for line, code in blocks
        if all(map(importlib.util.find_spec, IMPORT.findall(code)))
    ]


def named(path: Path) -> str:
    """Return a page's name in the repository."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_python_of_a_document_runs_in_order(
    document: Path, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = document.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2-small.yaml").symlink_to(ROOT / "examples" / "gpt2-small.yaml")
    if any(DEFAULT_ADDRESS.search(COMMENT.sub("", code)) for _, code in runnable_blocks(text)):
        address = request.getfixturevalue("server").address
        monkeypatch.setenv("SEEDBED_TARGET", address)
        text = DEFAULT_ADDRESS.sub(address, text)
    space: dict[str, Any] = {"__name__": "__main__"}
    for line, code in runnable_blocks(text):
        # Blank lines in front, so that a traceback shows the document's own line.
        exec(compile("\n" * (line - 1) + code, str(document), "exec"), space)


@pytest.mark.parametrize("page", COMMANDS, ids=named)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    run_commands(page, tmp_path)


def test_a_command_that_fails_or_prints_something_else_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one\n```\n\n```text\none\n```\n")
    run_commands(page, tmp_path)
    page.write_text("```sh\necho one\n```\n\n```text\ntwo\n```\n")
    with pytest.raises(AssertionError, match="instead of"):
        run_commands(page, tmp_path)
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="a command failed"):
        run_commands(page, tmp_path)


def test_blocks_are_found_and_run() -> None:
    text = (
        "Text.\n\n```python\nimport math\nx = 1\n```\n\n```sh\nls\n```\n"
        "```python\nimport no_such_framework\n```\n"
    )
    assert runnable_blocks(text) == [(4, "import math\nx = 1\n")]
