"""What docs/architecture.md names is there, and no room of the two packages is missing from it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"seedbed": ROOT / "client/seedbed", "seedbed_server": ROOT / "server/seedbed_server"}
PAGES = {
    name: (ROOT / name).read_text("utf-8")
    for name in ("docs/architecture.md", "docs/reliability.md", "CONTRIBUTING.md")
}
ARCHITECTURE = PAGES["docs/architecture.md"]

DRAWING = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"seedbed(?:_server)?(?:\.\w+)+")
TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
# A path in a code span stands alone, or is the argument of a command.
PATH = re.compile(r"[\w.-]*\w/[\w./-]*|[\w-]+\.(?:py|md|toml|yaml|proto|json)")

MADE = (".venv", "site/")


def words(page: str) -> Iterator[str]:
    """Yield the words of a page's code spans and drawings."""
    spans = CODE.findall(DRAWING.sub("", page))
    for text in (*spans, *DRAWING.findall(page)):
        yield from re.split(r"[\s\"'()\[\]<>|=,:]+", text)


def modules(page: str) -> set[str]:
    """Return the dotted modules that a page names."""
    return {word for word in words(page) if DOTTED.fullmatch(word)}


def paths(page: str) -> set[str]:
    """Return the paths that a page names, but for what commands make."""
    return {word for word in words(page) if PATH.fullmatch(word) and not word.startswith(MADE)}


def module_exists(module: str) -> bool:
    """Return whether there is a module or a package of this name."""
    package, *rest = module.split(".")
    path = PACKAGES[package].joinpath(*rest)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def path_exists(path: str) -> bool:
    """Return whether a path is there, from the repository's root or from a package's."""
    return any((base / path).exists() for base in (ROOT, *PACKAGES.values()))


@pytest.mark.parametrize("name", PAGES)
def test_every_module_and_path_that_a_page_names_exists(name: str) -> None:
    page = PAGES[name]
    assert [module for module in sorted(modules(page)) if not module_exists(module)] == []
    assert [path for path in sorted(paths(page)) if not path_exists(path)] == []


def missing_tests(page: str) -> list[str]:
    """Return the tests that a page names and that are not there."""
    return [
        f"{path}::{name}"
        for path, name in TEST.findall(page)
        if f"def {name}(" not in (ROOT / path).read_text("utf-8")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_every_test_that_a_page_names_exists(name: str) -> None:
    assert missing_tests(PAGES[name]) == []


def test_every_promise_of_reliability_has_a_test() -> None:
    tables = PAGES["docs/reliability.md"].split("## What is tried again")[0]
    rows = [line for line in tables.splitlines() if re.match(r"\| [A-Z`]", line)]
    assert len(rows) > 20
    assert [row for row in rows if not TEST.search(row)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_of_a_package_is_on_the_map(package: str) -> None:
    names = {path.stem for path in PACKAGES[package].iterdir() if path.stem != "__init__"}
    rooms = {room for name in names if module_exists(room := f"{package}.{name}")}
    assert sorted(rooms - modules(ARCHITECTURE)) == []


def test_modules_and_paths_are_found_and_missing_ones_seen() -> None:
    page = (
        "Run `python tools/gone.py`, see `seedbed.spec.gone` and `seedbed.client`, not `a / b`.\n"
        '```mermaid\nflowchart TB\n  a["the plan<br>sampling/gone.py"] --> b\n```\n'
    )
    assert modules(page) == {"seedbed.spec.gone", "seedbed.client"}
    assert paths(page) == {"tools/gone.py", "sampling/gone.py"}
    here = "tests/unit/test_architecture_page.py"
    assert missing_tests(f"`{here}::path_exists`, `{here}::gone`") == [f"{here}::gone"]
    assert module_exists("seedbed.client")
    assert not module_exists("seedbed.spec.gone")
    assert path_exists("sampling/sampler.py")
    assert not path_exists("tools/gone.py")
