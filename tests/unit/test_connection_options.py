"""A server takes no more connections than its files allow."""

import resource

import pytest

from seedbed_server.service import connections


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The soft and the hard limit of files, as the process sees and sets them."""
    found = [1024, 4096]
    monkeypatch.setattr(resource, "getrlimit", lambda which: tuple(found))

    def set_limits(which: int, pair: tuple[int, int]) -> None:
        del which
        found[:] = pair

    monkeypatch.setattr(resource, "setrlimit", set_limits)
    return found


def test_as_many_files_are_allowed_as_the_system_lets_it(limits: list[int]) -> None:
    connections.allow_many_connections()
    assert limits == [4096, 4096]


@pytest.mark.parametrize("hard", [10**9, resource.RLIM_INFINITY], ids=["a billion", "no limit"])
def test_no_more_files_are_allowed_than_a_server_needs(limits: list[int], hard: int) -> None:
    limits[1] = hard
    connections.allow_many_connections()
    assert limits == [connections.MOST_FILES, hard]


def test_a_limit_that_is_higher_already_stays(limits: list[int]) -> None:
    limits[:] = [10**6, 10**6]
    connections.allow_many_connections()
    assert limits == [10**6, 10**6]


def test_all_listeners_together_leave_half_of_the_files(limits: list[int]) -> None:
    limits[0] = 1000
    assert connections.max_connections(1) == 500
    assert connections.max_connections(3) == 166
    limits[0] = resource.RLIM_INFINITY
    assert connections.max_connections(1) == connections.MOST_FILES // 2
