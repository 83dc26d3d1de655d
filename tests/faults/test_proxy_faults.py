"""Through a proxy that breaks, stalls and damages, each call returns what is right."""

from pathlib import Path

import pytest

from tests.faults import plans
from tests.faults.campaign import run
from tests.faults.contents import Contents
from tests.faults.plans import Schedule, any_of, mostly_good
from tests.soak import scaled

SCHEDULES: dict[str, Schedule] = {
    "cuts": plans.cuts,
    "cuts within 1 MiB": plans.cuts_within_a_mebibyte,
    "half-closes": mostly_good(plans.half_closes, 0.5),
    # Each costs as long as it takes to notice.
    "stalls": mostly_good(plans.stalls, 0.15),
    "silences": mostly_good(plans.silences, 0.15),
    "delays": plans.delays,
    "trickles": plans.trickles,
    "refusals": mostly_good(plans.refusals, 0.5),
    "flips of answers": mostly_good(plans.flips_of_answers, 0.5),
    "flips of requests": mostly_good(plans.flips_of_requests, 0.5),
}
SCHEDULES["all of them"] = any_of(*SCHEDULES.values())


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_call_through_a_faulty_proxy_is_right(
    server: str, contents: Contents, name: str, tmp_path: Path
) -> None:
    count = scaled(14, full=91)
    outcomes = run(contents, server, SCHEDULES[name], count=count, seed=name, folder=tmp_path)
    print(f"{name}: {outcomes}")
    assert outcomes.failures == []
    assert len(outcomes.right) == count
