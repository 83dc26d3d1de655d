"""What the SDK advises as arguments, the command line advises as options."""

import inspect

import pytest

from seedbed.cli import wording
from seedbed.cli.program import command_line
from seedbed.transports import probe, statuses, trust

CODE = "".join(inspect.getsource(module) for module in (probe, statuses, trust))


@pytest.mark.parametrize("argument", wording.OPTIONS)
def test_advice_that_is_translated_is_given_somewhere(argument: str) -> None:
    assert argument in CODE


def test_options_that_are_advised_are_options() -> None:
    known = command_line().parse_args(["info"])
    for option in wording.OPTIONS.values():
        for word in option.split():
            if word.startswith("--"):
                assert hasattr(known, word.removeprefix("--no-").strip("-").replace("-", "_"))


def test_all_advice_about_tls_is_translated() -> None:
    pieces = CODE.split("tls=")[1:]
    for piece in pieces:
        if piece.startswith(("True", "False", "sb.")):
            assert "tls=" not in wording.in_options("tls=" + piece.split('"')[0])
