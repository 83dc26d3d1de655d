"""When a client asks for segments: over Unix sockets, and for as long as it can open them."""

import asyncio

import pytest

import seedbed as sb
from seedbed.transports.mapping import Mapper, SegmentBusyError, SegmentError


def mapper() -> Mapper:
    return Mapper("unix:///run/seedbed.sock")


def fail(tried: Mapper, counted: list[int], error: BaseException) -> None:
    """Fail with an error after seven bytes."""
    with tried.attempt(counted.append) as count:
        count(3)
        count(4)
        raise error


@pytest.mark.parametrize(
    ("error", "is_of_use"),
    [
        (SegmentError("no file"), False),
        (SegmentBusyError("too many"), True),
    ],
    ids=["not there", "busy"],
)
def test_an_attempt_in_vain_takes_its_bytes_back_and_decides_about_the_next(
    error: Exception, is_of_use: bool
) -> None:
    tried = mapper()
    counted: list[int] = []
    fail(tried, counted, error)
    assert counted == [3, 4, -7]
    assert tried.is_of_use == is_of_use


def test_what_cannot_be_opened_stays_of_no_use_when_another_attempt_finds_it_busy() -> None:
    tried = mapper()
    for error in (SegmentError("no file"), SegmentBusyError("too many")):
        fail(tried, [], error)
    assert not tried.is_of_use


@pytest.mark.parametrize(
    "error",
    [
        sb.UnavailableError("gone"),
        sb.OverloadedError("full"),
        sb.DataLossError("lost"),
        asyncio.CancelledError(),
    ],
    ids=repr,
)
def test_an_attempt_that_fails_otherwise_fails(error: BaseException) -> None:
    tried = mapper()
    counted: list[int] = []
    with pytest.raises(type(error)):
        fail(tried, counted, error)
    assert counted == [3, 4]
    assert tried.is_of_use


def test_an_attempt_that_succeeds_counts_every_byte_once() -> None:
    tried = mapper()
    counted: list[int] = []
    with tried.attempt(counted.append) as count:
        count(3)
    assert counted == [3]
    assert tried.is_of_use


@pytest.mark.parametrize("target", ["127.0.0.1:1", "dns:///unix:1", "ipv4:127.0.0.1:1"])
def test_segments_are_asked_for_over_unix_sockets_only(target: str) -> None:
    assert not Mapper(target).is_of_use
