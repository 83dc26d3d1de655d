"""How long a call goes on trying, by a clock that only the tests move."""

import logging

import pytest

import seedbed as sb
from seedbed import deadlines
from seedbed.transports import tries as module
from seedbed.transports.statuses import DoubtfulError
from seedbed.transports.tries import (
    LONGEST_BACKOFF_SECONDS,
    MOST_DOUBTS,
    MOST_FRUITLESS,
    Tries,
    backoff_seconds,
)
from seedbed.transports.try_limits import ALONE, AMONG_REPLICAS, TryLimits

PATIENCE_SECONDS = 30.0


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that tries and deadlines see."""
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    monkeypatch.setattr(deadlines, "time", found)
    return found


def tries(
    *,
    timeout_seconds: float | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    limits: TryLimits = ALONE,
) -> Tries:
    return Tries("server", timeout_seconds, patience_seconds, limits)


def unavailable() -> sb.UnavailableError:
    return sb.UnavailableError("it is not there")


def fail(call: Tries, count: int) -> None:
    for _ in range(count):
        call.failed(unavailable())


def wait_seconds(call: Tries, ready_in_seconds: float = 0.0) -> float:
    return call.wait_seconds(unavailable(), ready_in_seconds)


# How long it waits between tries.


@pytest.mark.parametrize(
    ("failures", "longest"), [(1, 0.05), (2, 0.1), (3, 0.2), (6, 1.6), (7, 2.0), (10**6, 2.0)]
)
def test_waits_double_up_to_a_limit_and_are_spread(failures: int, longest: float) -> None:
    found = [backoff_seconds(failures) for _ in range(200)]
    assert longest / 2 <= min(found) < longest * 0.6
    assert longest * 0.9 < max(found) <= longest


def test_the_first_failure_of_a_call_costs_a_short_wait() -> None:
    call = tries()
    fail(call, 1)
    assert 0.025 <= wait_seconds(call) <= 0.05


def test_each_break_that_follows_progress_is_followed_by_a_try_at_once(clock: Clock) -> None:
    call = tries()
    for _ in range(100):
        clock.now += 1.0
        call.progressed()
        fail(call, 1)
        assert wait_seconds(call) == 0
    fail(call, 1)
    assert wait_seconds(call) > 0


def test_a_server_that_says_when_is_asked_then() -> None:
    call = tries()
    fail(call, 1)
    assert wait_seconds(call, 7.5) == 7.5


@pytest.mark.parametrize("options", [{"timeout_seconds": 5.0}, {"patience_seconds": 5.0}], ids=str)
def test_a_server_that_says_a_time_after_the_end_ends_the_call_at_once(
    options: dict[str, float],
) -> None:
    call = tries(**options)  # type: ignore[arg-type]
    fail(call, 1)
    with pytest.raises(sb.UnavailableError, match=r"it is not there$"):
        wait_seconds(call, 5.5)


def test_no_wait_is_longer_than_the_time_that_is_left(clock: Clock) -> None:
    call = tries(timeout_seconds=100.0)
    fail(call, 20)
    clock.now += 99.9
    assert wait_seconds(call) == pytest.approx(0.1)


# How long it goes on.


def test_patience_begins_anew_with_each_verified_byte(clock: Clock) -> None:
    call = tries()
    for _ in range(10):
        clock.now += PATIENCE_SECONDS - 1
        fail(call, 1)
        call.progressed()
    clock.now += PATIENCE_SECONDS + 1
    with pytest.raises(sb.UnavailableError, match="it is not there"):
        fail(call, 1)


def test_a_heartbeat_renews_patience_too_but_not_for_ever(clock: Clock) -> None:
    call = tries()
    for _ in range(MOST_FRUITLESS - 1):
        clock.now += PATIENCE_SECONDS - 1
        call.heard()
        fail(call, 1)
    clock.now += 1
    call.heard()
    with pytest.raises(sb.UnavailableError, match=f"tried {MOST_FRUITLESS} times"):
        fail(call, 1)


def test_heartbeats_before_progress_do_not_count(clock: Clock) -> None:
    call = tries()
    for _ in range(3 * MOST_FRUITLESS):
        clock.now += 1
        call.heard()
        fail(call, 1)
        clock.now += 1
        call.progressed()


def test_no_patience_makes_every_failure_the_call_s() -> None:
    call = tries(patience_seconds=0)
    with pytest.raises(sb.UnavailableError) as caught:
        fail(call, 1)
    assert str(caught.value) == "it is not there"  # tried once, which needs no word


def test_a_time_limit_takes_the_place_of_patience(clock: Clock) -> None:
    call = tries(timeout_seconds=100.0, patience_seconds=0)
    clock.now += 99
    fail(call, 3)
    assert call.limits().timeout_seconds == pytest.approx(1.0)
    clock.now += 2
    with pytest.raises(sb.UnavailableError, match=r"not there \(tried 3 times in 101\.0 s\)"):
        call.limits()


def test_a_time_limit_that_is_over_before_anything_failed_is_a_deadline_error(clock: Clock) -> None:
    call = tries(timeout_seconds=1.0)
    clock.now += 2
    with pytest.raises(sb.DeadlineError, match="did not finish within 1 s"):
        call.limits()


def test_a_deadline_that_the_server_says_is_over_is_believed_when_it_is(clock: Clock) -> None:
    call = tries(timeout_seconds=10.0)
    call.failed(sb.DeadlineError("over"))  # the limit was damaged on its way
    clock.now += 11
    with pytest.raises(sb.DeadlineError, match="did not finish within 10 s"):
        call.failed(sb.DeadlineError("over"))


def test_a_time_limit_that_ends_a_try_after_failures_tells_of_these(clock: Clock) -> None:
    call = tries(timeout_seconds=10.0)
    fail(call, 2)
    clock.now += 11
    with pytest.raises(sb.UnavailableError, match=r"not there \(tried 3 times in 11\.0 s\)"):
        call.failed(sb.DeadlineError("over"))


def test_a_time_limit_that_ends_a_call_that_got_on_tells_of_no_old_failure(clock: Clock) -> None:
    call = tries(timeout_seconds=10.0)
    fail(call, 2)
    call.progressed()
    clock.now += 11
    with pytest.raises(sb.DeadlineError, match="did not finish within 10 s"):
        call.limits()


# What is believed when it repeats.


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (sb.DataLossError("damaged"), sb.DataLossError),
        (DoubtfulError(sb.InvalidValueError("too large")), sb.InvalidValueError),
        (sb.DeadlineError("over"), sb.DeadlineError),
    ],
    ids=["damage", "doubt", "deadline"],
)
def test_what_damage_may_have_caused_is_believed_in_a_row(
    error: sb.SeedbedError, raised: type[sb.SeedbedError]
) -> None:
    call = tries()
    for _ in range(3):  # progress between them: it was the way, and not the server
        for _ in range(MOST_DOUBTS - 1):
            call.failed(error)
        call.progressed()
    for _ in range(MOST_DOUBTS - 1):
        call.failed(error)
    with pytest.raises(raised, match="tried"):
        call.failed(error)


def test_failures_of_the_network_are_no_doubts() -> None:
    fail(tries(), 10 * MOST_DOUBTS)


# What a try may wait.


def test_failures_in_a_row_double_the_limits_of_a_try() -> None:
    call = tries(limits=AMONG_REPLICAS)
    seen = []
    for _ in range(30):
        seen.append(call.limits().connect_seconds)
        fail(call, 1)
    assert seen[:6] == [0.4, 0.4, 0.8, 0.8, 1.6, 1.6]
    assert seen == sorted(seen)
    limits = call.limits()
    assert limits == ALONE
    call.progressed()
    assert call.limits() == AMONG_REPLICAS


def test_the_limits_of_a_server_alone_stay() -> None:
    call = tries()
    fail(call, 30)
    assert call.limits() == ALONE


# What it says.


def test_a_call_that_waits_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    call = tries()
    with caplog.at_level(logging.WARNING, "seedbed"):
        for count in range(10):
            fail(call, 1)
            wait_seconds(call)
            assert bool(caplog.records) == (count >= 2)
    (record,) = caplog.records
    assert record.getMessage() == "it is not there; trying again"


def test_backoff_never_exceeds_its_limit_in_a_call(clock: Clock) -> None:
    call = tries(timeout_seconds=10_000.0)
    for _ in range(50):
        fail(call, 1)
        wait = wait_seconds(call)
        assert wait <= LONGEST_BACKOFF_SECONDS
        clock.now += wait
