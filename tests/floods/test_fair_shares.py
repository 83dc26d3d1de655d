"""A greedy client takes no more than its share from the others."""

from statistics import mean

from tests.floods.readers import read_for
from tests.raw_calls import MIB
from tests.servers import ServerProcess
from tests.soak import IS_SOAK, scaled

GREEDY, GREEDY_STREAMS = "127.0.0.2", 100
OTHERS = [f"127.0.0.{number}" for number in range(3, 12)]
SECONDS = scaled(10, full=60)
LEAST_SHARE = 0.8


def test_clients_of_one_stream_have_their_share_beside_one_of_a_hundred(
    server: ServerProcess,
) -> None:
    groups = [{GREEDY: GREEDY_STREAMS}, dict.fromkeys(OTHERS, 1)]
    found = read_for(server.address, groups, seconds=SECONDS)
    share = sum(found.values()) / len(found)
    others = [found[source] / share for source in OTHERS]
    print(
        f"in all {sum(found.values()) / SECONDS / MIB:.0f} MiB/s; of its share the greedy one got "
        f"{found[GREEDY] / share:.2f}, the others {min(others):.2f} to {max(others):.2f}"
    )
    # Without shares the greedy one has 92 % of all.
    assert mean(others) > 0.3
    assert min(others) > 0
    if IS_SOAK:
        assert mean(others) >= LEAST_SHARE
        assert min(others) >= LEAST_SHARE / 2
