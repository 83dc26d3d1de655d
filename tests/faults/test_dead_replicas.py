"""A replica that is gone, frozen or slow costs a moment once, and nothing from then on."""

import statistics
import time
from collections.abc import Iterator

import pytest

import seedbed as sb
from seedbed.spec.digests import digest_array
from tests.faults.contents import MIB, Contents, spec_of
from tests.faults.plans import Plan, always
from tests.faults.proxy import faulty_proxy
from tests.faults.replicas import Replica, blackhole
from tests.soak import IS_SOAK, scaled
from tests.waiting import wait_until

SPEC = spec_of(48 * MIB)
SMALL = spec_of(4096)

FIRST_SECONDS = 1.5
LATER_FACTOR = 1.1
# A fetch of some milliseconds is no measure.
SLACK_SECONDS = 0.02


@pytest.fixture(scope="module")
def gone() -> Iterator[str]:
    """The address of a host that drops everything."""
    with blackhole() as address:
        yield address


@pytest.fixture
def frozen(servers: list[Replica]) -> Iterator[str]:
    """The address of a server whose host accepts connections, while it says nothing."""
    servers[2].freeze()
    try:
        yield servers[2].address
    finally:
        servers[2].thaw()


def timed(client: sb.Client, spec: sb.TensorSpec, contents: Contents) -> float:
    """Return how long a fetch takes; fail if it is wrong."""
    begun = time.monotonic()
    array = client.sample(spec)
    seconds = time.monotonic() - begun
    if spec.name in contents.digests:
        assert digest_array(array) == contents.digests[spec.name]
    return seconds


def timed_anew(targets: list[str], spec: sb.TensorSpec, contents: Contents) -> float:
    """Return how long a fetch takes that is the first of a client."""
    with sb.connect(targets) as client:
        return timed(client, spec, contents)


def set_aside(client: sb.Client) -> set[str]:
    """Return the replicas that are not asked now."""
    return {each.target for each in client.stats().replicas if each.is_set_aside}


@pytest.mark.parametrize("spec", [SPEC, SMALL], ids=["48 MiB", "4 KiB"])
@pytest.mark.parametrize("dead", [("gone",), ("frozen",), ("gone", "frozen")], ids=" and ".join)
def test_dead_replicas_cost_a_moment_once(
    server: str,
    servers: list[Replica],
    contents: Contents,
    dead: tuple[str, ...],
    spec: sb.TensorSpec,
    request: pytest.FixtureRequest,
) -> None:
    targets = [request.getfixturevalue(name) for name in dead]
    others = [servers[1].address, server]
    with sb.connect(others) as healthy:
        timed(healthy, spec, contents)
        # Of which one may fall into a moment when the machine has no time.
        firsts = [timed_anew([*targets, *others], spec, contents) for _ in range(2)]
        with sb.connect([*targets, *others]) as client:
            firsts.append(timed(client, spec, contents))
            pairs = [
                (timed(healthy, spec, contents), timed(client, spec, contents))
                for _ in range(scaled(8, full=80))
            ]
            # One that serves may have been late once.
            wait_until(lambda: set_aside(client) == set(targets))
    usual, found = zip(*pairs, strict=True)
    healthy_seconds, later = statistics.median(usual), statistics.median(found)
    first = statistics.median(firsts)
    print(
        f"{' and '.join(dead)}, {spec.name}: healthy={healthy_seconds:.3f}s first={first:.3f}s "
        f"later={later:.3f}s ({later / healthy_seconds:.2f} times) slowest later={max(found):.3f}s"
    )
    if IS_SOAK:
        assert first < healthy_seconds + FIRST_SECONDS
        assert later < healthy_seconds * LATER_FACTOR + SLACK_SECONDS


def test_a_replica_that_is_back_is_asked_again(
    server: str, servers: list[Replica], contents: Contents
) -> None:
    servers[1].freeze()
    frozen = servers[1].address
    with sb.connect([frozen, server]) as client:
        try:
            # Its range may have come from the other one before it was given up.
            wait_until(lambda: timed(client, SPEC, contents) and frozen in set_aside(client))
        finally:
            servers[1].thaw()
        wait_until(lambda: frozen not in set_aside(client))
        before = client.stats().replicas[0].bytes_received
        # Others may be quicker, as long as it is late.
        wait_until(
            lambda: (
                timed(client, SPEC, contents) and client.stats().replicas[0].bytes_received > before
            )
        )


def test_ranges_that_lag_are_asked_for_elsewhere(server: str, contents: Contents) -> None:
    with sb.connect(server) as healthy:
        usual = statistics.median(timed(healthy, SPEC, contents) for _ in range(3))
    slow = Plan("trickle", bytes_per_second=MIB)
    with (
        faulty_proxy(server, always(slow)) as proxy,
        sb.connect([proxy.target, server]) as client,
    ):
        found = [timed(client, SPEC, contents) for _ in range(3)]
        stats = client.stats()
    print(f"one replica at 1 MiB/s: healthy={usual:.3f}s with it={[f'{s:.3f}' for s in found]}")
    assert stats.replicas[1].hedges > 0
    if IS_SOAK:  # by the slow one alone, its share would take 16 s
        assert max(found) < usual * 4 + 8
