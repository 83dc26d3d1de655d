"""Through a proxy that breaks, stalls and damages, each call returns what is right."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

import seedbed as sb
from tests.faults import plans
from tests.faults.campaign import run
from tests.faults.contents import Contents, Question
from tests.faults.plans import Schedule, any_of, mostly_good
from tests.faults.proxy import faulty_proxy
from tests.soak import IS_SOAK, scaled

SCHEDULES: dict[str, Schedule] = {
    "cuts": plans.cuts,
    "cuts within 1 MiB": plans.cuts_within_a_mebibyte,
    "half-closes": mostly_good(plans.half_closes, 0.5),
    # Each costs as long as it takes to notice.
    "stalls": mostly_good(plans.stalls, 0.3),
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


def test_breaks_within_each_mebibyte_cost_little_time(server: str, contents: Contents) -> None:
    question = Question("sample", contents.specs[-1], contents)
    for targets in (1, 3):
        with ExitStack() as stack:
            proxies = [
                stack.enter_context(faulty_proxy(server, plans.cuts_within_a_mebibyte, seed=seed))
                for seed in range(targets)
            ]
            client = stack.enter_context(sb.connect([proxy.target for proxy in proxies]))
            began = time.monotonic()
            assert question.is_right(question.ask(client))
            seconds = time.monotonic() - began
            breaks = sum(proxy.counts["cut"] for proxy in proxies)
        print(f"64 MiB of {targets}: {breaks} breaks in {seconds:.1f} s")
        if IS_SOAK:  # waits that grew with each break would take minutes
            assert seconds < 0.25 * breaks
