"""docker/*.txt: what the image installs is pinned, hashed, and what pyproject.toml asks for."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.lock_image import ALL, ENTRY, LOCKS, SBOM_TOOL, Lock

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MACHINES = ("x86_64", "aarch64")


@pytest.fixture(params=ALL, ids=lambda lock: lock.name)
def lock(request: pytest.FixtureRequest) -> Lock:
    return request.param  # type: ignore[no-any-return]


def test_every_lock_is_of_use() -> None:
    assert {path.name for path in LOCKS.iterdir()} == {lock.path.name for lock in ALL}


def test_a_lock_holds_nothing_but_versions_and_hashes(lock: Lock) -> None:
    lines = lock.path.read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    assert ENTRY.sub("", text) == ""
    assert lock.versions()


@pytest.mark.parametrize("machine", MACHINES)
def test_a_lock_has_what_pyproject_asks_for(lock: Lock, machine: str) -> None:
    locked = lock.versions()
    for requirement in wanted(lock, machine):
        name = canonicalize_name(requirement.name)
        assert name in locked, f"{requirement} is not locked: make lock"
        assert requirement.specifier.contains(locked[name]), f"{requirement}: make lock"


def test_layers_agree(lock: Lock) -> None:
    if lock.beside is not None:
        (beside,) = (each for each in ALL if each.name == lock.beside)
        assert beside.versions().items() <= lock.versions().items()


def wanted(lock: Lock, machine: str) -> Iterator[Requirement]:
    if lock.extra is None:
        texts = [*PROJECT["build-system"]["requires"], SBOM_TOOL]
    else:
        texts = [*PROJECT["project"]["dependencies"], *of_extra(lock.extra)]
    environment: dict[str, Any] = {
        **default_environment(),
        "python_version": "3.11",
        "sys_platform": "linux",
        "platform_machine": machine,
    }
    for requirement in map(Requirement, texts):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def of_extra(extra: str) -> Iterator[str]:
    """An extra's requirements, with those of the package's extras that it names."""
    for text in PROJECT["project"]["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["project"]["name"]:
            for each in requirement.extras:
                yield from of_extra(each)
        else:
            yield text
