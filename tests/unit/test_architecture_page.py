"""What docs/architecture.md names is there, and no room of the two packages is missing from it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"seedbed": ROOT / "client/seedbed", "seedbed_server": ROOT / "server/seedbed_server"}
PAGES = {
    name: (ROOT / name).read_text("utf-8") for name in ("docs/architecture.md", "CONTRIBUTING.md")
}
ARCHITECTURE = PAGES["docs/architecture.md"]

DRAWING = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"seedbed(?:_server)?(?:\.\w+)+")
# A path in a code span stands alone, or is the argument of a command.
PATH = re.compile(r"[\w.-]*\w/[\w./-]*|[\w-]+\.(?:py|md|toml|yaml|proto|json)")


def words(page: str) -> Iterator[str]:
    """Yield the words of a page's code spans and drawings."""
    spans = CODE.findall(DRAWING.sub("", page))
    for text in (*spans, *DRAWING.findall(page)):
        yield from re.split(r"[\s\"'()\[\]<>|=,:]+", text)


def modules(page: str) -> set[str]:
    """Return the dotted modules that a page names."""
    return {word for word in words(page) if DOTTED.fullmatch(word)}


def paths(page: str) -> set[str]:
    """Return the paths that a page names, but for what commands make, such as `.venv`."""
    return {word for word in words(page) if PATH.fullmatch(word) and not word.startswith(".venv")}


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
    assert module_exists("seedbed.client")
    assert not module_exists("seedbed.spec.gone")
    assert path_exists("sampling/sampler.py")
    assert not path_exists("tools/gone.py")
