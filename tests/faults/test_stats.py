"""``client.stats()`` tells what happened, and agrees with what a proxy did."""

from contextlib import ExitStack

import pytest

import seedbed as sb
from seedbed.transports import ranged_fetch, remote
from seedbed.transports.try_limits import ALONE
from tests.faults.contents import MIB, Contents, Question, spec_of
from tests.faults.plans import Plan, always, in_turn
from tests.faults.proxy import faulty_proxy
from tests.free_addresses import free_address
from tests.waiting import LATE_SECONDS

SPEC = spec_of(32 * MIB)
# What may have come of a chunk that was not verified yet, for each time that a connection broke.
UNVERIFIED_BYTES = 4 * MIB
CUTS = (Plan("cut", byte=3 * MIB), Plan("cut", byte=9 * MIB))


@pytest.mark.parametrize("kind", ["sample", "chunks", "device"])
def test_what_was_broken_is_resumed_and_counted_once(
    server: str, contents: Contents, kind: str
) -> None:
    question = Question(kind, SPEC, contents)
    with faulty_proxy(server, in_turn(*CUTS, Plan())) as proxy, sb.connect(proxy.target) as client:
        assert question.is_right(question.ask(client))
        stats = client.stats()
    assert proxy.counts == {"connections": 3, "cut": 2}
    assert (stats.tries, stats.failures, stats.resumes, stats.hedges) == (3, 2, 2, 0)
    assert stats.bytes_received == 32 * MIB
    # What was verified did not travel again.
    assert 32 * MIB < proxy.bytes_to_client < 32 * MIB + 2 * UNVERIFIED_BYTES
    (replica,) = stats.replicas
    assert replica.target == proxy.target
    assert not replica.is_set_aside


def test_each_replica_has_its_own_numbers(
    server: str, contents: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, one that is late would pass for a silent one, or lag.
    monkeypatch.setattr(remote, "AMONG_REPLICAS", ALONE)
    monkeypatch.setattr(ranged_fetch, "LAG_SECONDS", LATE_SECONDS)
    monkeypatch.setattr(ranged_fetch, "STILL_SECONDS", LATE_SECONDS)
    question = Question("sample", contents.specs[-1], contents)
    nobody = free_address()
    with ExitStack() as stack:
        breaking, whole = [
            stack.enter_context(faulty_proxy(server, schedule))
            for schedule in (in_turn(*CUTS, Plan()), always(Plan()))
        ]
        client = stack.enter_context(sb.connect([breaking.target, nobody, whole.target]))
        for _ in range(3):
            assert question.is_right(question.ask(client))
        stats = client.stats()
    first, absent, last = stats.replicas
    assert [each.target for each in stats.replicas] == [breaking.target, nobody, whole.target]
    assert stats.bytes_received == 3 * 64 * MIB
    assert stats.hedges == 0
    assert first.failures == breaking.counts["cut"] > 0
    assert first.bytes_received <= breaking.bytes_to_client
    assert last.failures == 0
    assert last.bytes_received <= whole.bytes_to_client
    assert absent.failures > 0
    assert absent.is_set_aside
    assert absent.bytes_received == 0
    assert stats.tries == first.tries + absent.tries + last.tries


def test_calls_without_bytes_are_counted_as_well(server: str, contents: Contents) -> None:
    refusing_once = in_turn(Plan("refuse"), Plan())
    with faulty_proxy(server, refusing_once) as proxy, sb.connect(proxy.target) as client:
        assert client.digest(SPEC) == contents.digests[SPEC.name]
        client.describe(SPEC)
        stats = client.stats()
    assert (stats.tries, stats.failures, stats.resumes) == (3, 1, 0)
    assert stats.bytes_received == 0
