"""What is scarce is shared: no peer holds more than is free, and refusals spread a crowd out."""

import pytest

from seedbed.spec.reasons import Reason
from seedbed_server.refusals import NoRoomError, QuotaError
from seedbed_server.streams.fair_shares import FairShares
from seedbed_server.streams.peer_caps import PeerCap


def taken(shares: FairShares, peer: str, amount: int = 1) -> int:
    """Return how much a peer gets that takes all it can, and leave it taken."""
    count = 0
    while shares.take(peer, amount):
        count += amount
    return count


def test_one_peer_alone_has_half_and_later_ones_half_of_what_is_left() -> None:
    shares = FairShares(1000)
    assert [taken(shares, peer) for peer in "abc"] == [500, 250, 125]
    assert shares.free == 125


def test_a_newcomer_always_gets_something_while_few_hold_all_they_can() -> None:
    shares = FairShares(1024)
    for peer in range(9):
        assert taken(shares, str(peer)) >= 1


def test_a_resource_of_one_piece_can_be_taken() -> None:
    shares = FairShares(1)
    assert shares.take("a", 1)
    assert not shares.take("b", 1)


def test_what_is_given_back_is_free_for_everyone() -> None:
    shares = FairShares(10)
    assert taken(shares, "a") == 5
    for _ in range(5):
        shares.give_back("a", 1)
    assert shares.free == 10
    assert shares._held == {}
    assert taken(shares, "b") == 5


def test_a_peer_that_holds_nothing_may_take_all_that_is_free_in_one_piece() -> None:
    shares = FairShares(10)
    assert shares.take("a", 10)
    shares.give_back("a", 10)
    assert not shares.take("a", 11)


def test_the_more_are_refused_the_longer_they_are_told_to_wait() -> None:
    shares = FairShares(0)
    told = [
        shares.refusal("full", Reason.TOO_MANY_STREAMS).retry_after_seconds for _ in range(1000)
    ]
    assert told[0] == pytest.approx(0.21)
    assert told == sorted(told)
    assert told[-1] == 5.0


def test_a_cap_bounds_the_sum_of_what_a_peer_holds() -> None:
    cap = PeerCap("inflight_bytes", {"a": 10}.get)
    chunks, memory = FairShares(1000, cap), FairShares(1000, cap)
    assert taken(chunks, "a", 4) == 8
    assert memory.take("a", 2)
    assert not memory.take("a", 1)
    assert memory.take("a", 0)
    assert taken(memory, "b") > 100
    chunks.give_back("a", 4)
    assert taken(memory, "a") == 4
    for shares, amount in ((chunks, 4), (memory, 6)):
        shares.give_back("a", amount)
    assert "a" not in cap._held
    assert chunks.free == 1000


def test_who_is_over_a_cap_is_told_which_and_who_is_not_that_others_have_it() -> None:
    shares = FairShares(100, PeerCap("inflight_bytes", {"a": 10}.get))
    with pytest.raises(QuotaError, match=r"11 more are beyond inflight_bytes, 10") as caught:
        shares.must_take("a", 11, "full", Reason.TOO_MANY_MATRICES)
    assert (caught.value.quota, caught.value.reason) == ("inflight_bytes", "QUOTA_EXCEEDED")
    assert caught.value.retry_after_seconds > 0
    shares.must_take("b", 98, "full", Reason.TOO_MANY_MATRICES)
    with pytest.raises(NoRoomError, match="full") as refused:
        shares.must_take("a", 4, "full", Reason.TOO_MANY_MATRICES)
    assert refused.value.reason == "TOO_MANY_MATRICES"


def test_a_cap_that_was_lowered_only_refuses_more() -> None:
    most = {"a": 10}
    shares = FairShares(100, PeerCap("inflight_bytes", most.get))
    assert shares.take("a", 8)
    most["a"] = 5
    assert shares.take("a", 0)
    assert not shares.take("a", 1)
    shares.give_back("a", 4)
    assert shares.take("a", 1)
