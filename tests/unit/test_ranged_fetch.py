"""Who fetches which portion: nobody writes where somebody else does."""

import threading

import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed.transports import ranged_fetch, replica
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.mapping import Mapper
from seedbed.transports.probe import Probe
from seedbed.transports.ranged_fetch import RangedFetch
from seedbed.transports.ranges import portions
from seedbed.transports.remote import calls_to
from seedbed.transports.replica import Replica
from seedbed.transports.tries import Tries
from seedbed.transports.try_limits import AMONG_REPLICAS
from tests.waiting import LATE_SECONDS

REQUEST = TensorRequest(sb.TensorSpec("w", (1000,), "float32", sb.RandomUniform(seed=1)))


def _replica(target: str) -> Replica:
    return Replica(target, calls_to(target, {}), Mapper(target), Probe(None), has_others=True)


class Portions:
    """A fetch of portions by a server that lags, and two connections to another one."""

    def __init__(self, portion_bytes: int) -> None:
        self.slow, self.other = _replica("127.0.0.1:1"), _replica("127.0.0.1:2")
        self.memory = bytearray(REQUEST.size_bytes)
        self.fetch = RangedFetch(
            portions([REQUEST], [memoryview(self.memory)], portion_bytes),
            [self.slow, self.other, self.other],
            Tries("both", None, 30.0, AMONG_REPLICAS),
            lambda _: None,
            Cancellation(),
        )


@pytest.fixture
def one_portion(monkeypatch: pytest.MonkeyPatch) -> Portions:
    """What lags is asked for elsewhere at once."""
    monkeypatch.setattr(ranged_fetch, "STILL_SECONDS", 0.0)
    return Portions(2**20)


def test_a_hedge_stays_one_when_its_portion_comes_to_the_same_server(
    one_portion: Portions,
) -> None:
    fetch, slow, other = one_portion.fetch, one_portion.slow, one_portion.other
    first = fetch._take(slow)
    assert first is not None and not first[1]
    hedge = fetch._take(other)
    assert hedge == (first[0], True)
    fetch._leave(first[0], is_done=False)  # its try has failed
    again = fetch._take(other)  # by the other connection
    assert again == (first[0], False)
    assert first[0].replica is other


def test_what_a_hedge_has_brought_is_not_fetched_again(one_portion: Portions) -> None:
    """A try of it could write damaged bytes over the right ones."""
    fetch = one_portion.fetch
    first = fetch._take(one_portion.slow)
    assert first is not None
    assert fetch._take(one_portion.other) == (first[0], True)
    fetch._leave(first[0], is_done=False)  # its try has failed, and nobody has taken it since
    content = bytes(range(250)) * 16
    fetch._win(first[0], [memoryview(content)])
    assert one_portion.memory == content
    assert fetch._take(one_portion.slow) is None


def test_a_server_that_is_set_aside_is_not_asked_between_the_portions_of_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replica, "UNWELCOME_SECONDS", 600.0)
    several = Portions(REQUEST.size_bytes // 4)
    fetch, slow, other = several.fetch, several.slow, several.other
    first = fetch._take(slow)
    assert first is not None
    fetch._leave(first[0], is_done=False)
    unknown = sb.AuthenticationError("the token is unknown", reason="TOKEN_UNKNOWN")
    resting = threading.Thread(target=fetch._rest, args=(slow, unknown, 1))
    resting.start()
    while (taken := fetch._take(other)) is not None:
        fetch._leave(taken[0], is_done=True)
        resting.join(0.05)
        # So that it wakes where nothing is under way.
        assert resting.is_alive()
    resting.join(LATE_SECONDS)
    assert not resting.is_alive()
