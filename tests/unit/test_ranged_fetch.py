"""Who fetches which portion: nobody writes where somebody else does."""

import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed.transports import ranged_fetch
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.mapping import Mapper
from seedbed.transports.probe import Probe
from seedbed.transports.ranged_fetch import RangedFetch
from seedbed.transports.ranges import portions
from seedbed.transports.remote import calls_to
from seedbed.transports.replica import Replica
from seedbed.transports.tries import Tries
from seedbed.transports.try_limits import AMONG_REPLICAS

REQUEST = TensorRequest(sb.TensorSpec("w", (1000,), "float32", sb.RandomUniform(seed=1)))


def _replica(target: str) -> Replica:
    return Replica(target, calls_to(target, {}), Mapper(target), Probe(None), has_others=True)


class OnePortion:
    """A fetch of one portion by a server that lags, and two connections to another one."""

    def __init__(self) -> None:
        self.slow, self.other = _replica("127.0.0.1:1"), _replica("127.0.0.1:2")
        self.memory = bytearray(REQUEST.size_bytes)
        self.fetch = RangedFetch(
            portions([REQUEST], [memoryview(self.memory)], 2**20),
            [self.slow, self.other, self.other],
            Tries("both", None, 30.0, AMONG_REPLICAS),
            lambda _: None,
            Cancellation(),
        )


@pytest.fixture
def one_portion(monkeypatch: pytest.MonkeyPatch) -> OnePortion:
    """What lags is asked for elsewhere at once."""
    monkeypatch.setattr(ranged_fetch, "STILL_SECONDS", 0.0)
    return OnePortion()


def test_a_hedge_stays_one_when_its_portion_comes_to_the_same_server(
    one_portion: OnePortion,
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


def test_what_a_hedge_has_brought_is_not_fetched_again(one_portion: OnePortion) -> None:
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
