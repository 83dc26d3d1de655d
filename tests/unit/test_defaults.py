"""The default client is the one set, else $SEEDBED_TARGET's, else the embedded engine."""

import functools
from collections.abc import Iterator
from typing import Any

import pytest

import seedbed as sb
from seedbed import defaults

NOBODY = "127.0.0.1:1"
NOBODY_ELSE = "127.0.0.1:2"


@pytest.fixture(autouse=True)
def fresh_defaults(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin as a new process does, and close what a test connected."""
    made: dict[str, sb.Client] = {}
    monkeypatch.setattr(defaults, "_made", made)
    monkeypatch.setattr(defaults, "_set", None)
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    yield
    for client in made.values():
        client.close()


def test_the_embedded_engine_is_the_default() -> None:
    assert sb.get_default_client().target == "embedded:"


@pytest.mark.parametrize("value", ["", "embedded:"])
def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", value)
    assert sb.get_default_client().target == "embedded:"


def test_the_variable_names_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", NOBODY)
    monkeypatch.setattr(defaults, "connect", functools.partial(sb.connect, patience_seconds=0))
    assert sb.get_default_client().target == NOBODY
    with pytest.raises(sb.UnavailableError, match=NOBODY):
        sb.Zeros()((2,))


def test_a_target_has_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = sb.get_default_client()
    assert sb.get_default_client() is embedded
    monkeypatch.setenv("SEEDBED_TARGET", NOBODY)
    there = sb.get_default_client()
    assert sb.get_default_client() is there
    monkeypatch.setenv("SEEDBED_TARGET", NOBODY_ELSE)
    assert sb.get_default_client().target == NOBODY_ELSE
    monkeypatch.delenv("SEEDBED_TARGET")
    assert sb.get_default_client() is embedded


def test_a_variable_that_is_no_target_is_refused_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", "no target")
    for _ in range(2):
        with pytest.raises(sb.InvalidValueError, match="`target` must be"):
            sb.get_default_client()


def test_the_client_that_was_set_comes_first_until_it_is_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", NOBODY)
    own = sb.connect("embedded:")
    sb.set_default_client(own)
    assert sb.get_default_client() is own
    assert sb.Zeros()((2,)).tolist() == [0, 0]
    sb.set_default_client(None)
    assert sb.get_default_client().target == NOBODY


@pytest.mark.parametrize("client", ["embedded:", 5, sb.Client], ids=repr)
def test_only_a_client_is_set(client: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`client` must be a Client or None"):
        sb.set_default_client(client)
    assert sb.get_default_client().target == "embedded:"


def test_a_client_named_in_a_call_comes_before_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", NOBODY)
    with sb.connect("embedded:") as client:
        assert sb.Ones()((2,), client=client).tolist() == [1, 1]
