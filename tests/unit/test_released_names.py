"""What a release had, later ones have: each public name, and each parameter as it was.

tools/write_released.py says how the list is made, and docs/release.md when.
"""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tools import write_released

RELEASED = Path(__file__).with_name("released_names.txt").read_text("utf-8").splitlines()
PARAMETER = re.compile(r"(.+)\((\w+)\) ([\w-]+) (needed|optional)")


def broken(released: list[str], now: list[str]) -> list[str]:
    """Return what somebody's program would miss."""
    gone = set(released) - set(now)
    # What may be left out now is no loss for who passes it.
    missed = {line for line in gone if line.replace(" needed", " optional") not in now}
    return sorted(missed | (_needed_anew(released, now)))


def _needed_anew(released: list[str], now: list[str]) -> set[str]:
    """Return parameters of released calls that a release did not have and that must be passed."""
    return {
        line
        for line in set(now) - set(released)
        if (match := PARAMETER.fullmatch(line))
        and match[4] == "needed"
        and match[3] != "any"
        and match[1] in released
    }


def test_nothing_that_was_released_is_gone() -> None:
    assert broken(RELEASED, write_released.names()) == []


def test_the_list_has_calls_classes_and_frameworks() -> None:
    assert {
        "seedbed.connect(target) position-0 optional",
        "seedbed.Client.sample(slice) keyword optional",
        "seedbed.GlorotUniform(seed) position-0 optional",
        "seedbed.torch.initializing",
    } <= set(RELEASED)


def test_the_citation_is_of_this_version() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]


CALL = ["f", "f(a) position-0 needed", "f(b) keyword optional"]


@pytest.mark.parametrize(
    ("now", "missed"),
    [
        (CALL, []),
        ([*CALL, "f(c) keyword optional", "g", "g(x) keyword needed"], []),
        (["f", "f(a) position-0 optional", CALL[2]], []),
        (CALL[:2], ["f(b) keyword optional"]),
        ([*CALL, "f(c) keyword needed"], ["f(c) keyword needed"]),
        ([CALL[0], "f(a) keyword needed", CALL[2]], [CALL[1], "f(a) keyword needed"]),
        (
            [CALL[0], "f(n) position-0 optional", "f(a) position-1 needed"],
            [*CALL[1:], "f(a) position-1 needed"],
        ),
    ],
    ids=[
        "same",
        "additions",
        "may be left out",
        "gone",
        "needed anew",
        "another kind",
        "another place",
    ],
)
def test_a_change_that_breaks_a_program_is_noticed(now: list[str], missed: list[str]) -> None:
    assert broken(CALL, now) == sorted(missed)
