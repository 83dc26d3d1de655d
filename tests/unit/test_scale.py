"""The calculation of docs/scaling.md: it loses nothing, and says what was measured."""

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.scale.__main__ import TABLES, main
from benchmarks.scale.advice import RANKS, SECONDS, advice
from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.limits import Limit, busy_seconds
from benchmarks.scale.models import GPT2, MODELS, SEVENTY_BILLION, TRILLION, Model
from benchmarks.scale.simulation import Crowd, simulate
from benchmarks.scale.start import replicas_for, start
from benchmarks.scale.texts import duration, volume
from benchmarks.scale.ways import Way, work

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
FIGURES = Figures()
CROWD = Crowd(
    ranks=1000,
    arrival_seconds=2.0,
    lone_seconds=0.1,
    busy_seconds=20.0,
    places=1000,
    retry_seconds=5.0,
)


def crowd(**changes: float) -> Crowd:
    return dataclasses.replace(CROWD, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("places", [1, 10, 1000])
@pytest.mark.parametrize("arrival", [0.001, 2.0, 60.0])
def test_every_rank_becomes_ready_once(places: int, arrival: float) -> None:
    outcome = simulate(crowd(places=places, arrival_seconds=arrival))
    assert outcome.ranks == pytest.approx(CROWD.ranks)
    times = [time for time, _ in outcome.ready]
    counts = [count for _, count in outcome.ready]
    assert times == sorted(times)
    assert counts == sorted(counts)


def test_no_crowd_is_faster_than_what_is_busiest() -> None:
    assert simulate(CROWD).seconds >= CROWD.busy_seconds


def test_a_crowd_that_keeps_the_service_busy_takes_as_long_as_what_is_busiest() -> None:
    assert simulate(CROWD).seconds == pytest.approx(CROWD.busy_seconds, rel=0.02)


def test_a_crowd_that_comes_slowly_is_ready_when_its_last_rank_is() -> None:
    outcome = simulate(crowd(arrival_seconds=100.0))
    assert outcome.seconds == pytest.approx(100.0 + CROWD.lone_seconds, rel=0.02)


def test_nobody_is_refused_where_there_are_places_for_all() -> None:
    assert simulate(CROWD).refusals == 0


def test_refused_ranks_cost_no_more_than_their_waits() -> None:
    outcome = simulate(crowd(places=100))
    assert outcome.refusals > 0
    assert outcome.seconds <= CROWD.busy_seconds + 2 * CROWD.retry_seconds


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.name))
@pytest.mark.parametrize("way", Way, ids=lambda way: str(way.name))
def test_more_ranks_are_never_ready_sooner(model: Model, way: Way) -> None:
    fitting = [ranks for ranks in RANKS if model.fits(ranks)]
    seconds = [start(way, model, Fleet(ranks), FIGURES).seconds for ranks in fitting]
    assert all(later >= sooner * 0.97 for sooner, later in pairwise(seconds))


def test_the_bytes_that_are_sent_are_those_that_the_ranks_hold() -> None:
    fleet = Fleet(1024)
    whole = work(Way.WHOLE, SEVENTY_BILLION, fleet, FIGURES).sent
    sharded = work(Way.SHARDED, SEVENTY_BILLION, fleet, FIGURES).sent
    assert whole == SEVENTY_BILLION.gigabytes * 1024
    assert sharded == SEVENTY_BILLION.gigabytes * 1024 / 64
    for way in (Way.HOST, Way.LOCAL, Way.LOCAL_GPU):
        assert work(way, SEVENTY_BILLION, fleet, FIGURES).sent == 0


def test_ranks_of_a_host_share_what_all_of_them_need() -> None:
    eight = work(Way.HOST, GPT2, Fleet(8), FIGURES).host_core_seconds
    expected = GPT2.gigabytes * FIGURES.sampling + 8 * GPT2.gigabytes * FIGURES.mapping
    assert eight == pytest.approx(expected)


def test_twice_the_replicas_are_busy_half_as_long() -> None:
    asked = work(Way.SHARDED, TRILLION, Fleet(4096), FIGURES)
    few = busy_seconds(asked, Fleet(4096, replicas=4))
    many = busy_seconds(asked, Fleet(4096, replicas=8))
    for limit in (Limit.REPLICA_PROCESSOR, Limit.REPLICA_LOOP, Limit.REPLICA_NETWORK):
        assert few[limit] == pytest.approx(2 * many[limit])


def test_a_balancer_is_the_limit_where_replicas_are_many() -> None:
    fleet = Fleet(4096, replicas=48, balancers=1)
    assert start(Way.SHARDED, SEVENTY_BILLION, fleet, FIGURES).limit is Limit.BALANCER_NETWORK


def test_a_network_of_ten_times_the_speed_leaves_the_processors_as_the_limit() -> None:
    fleet = Fleet(4096, replica_gigabits=250.0)
    assert start(Way.SHARDED, SEVENTY_BILLION, fleet, FIGURES).limit in {
        Limit.REPLICA_PROCESSOR,
        Limit.REPLICA_LOOP,
    }


def test_what_is_advised_starts_in_time_or_on_each_host() -> None:
    for model in MODELS:
        for ranks in filter(model.fits, RANKS):
            advised = advice(model, Fleet(ranks), FIGURES)
            assert advised.way is Way.HOST or advised.seconds <= SECONDS


def test_no_number_of_replicas_helps_behind_a_balancer_that_is_the_limit() -> None:
    fleet = Fleet(100_000, balancers=1)
    assert replicas_for(SECONDS, Way.WHOLE, GPT2, fleet, FIGURES) is None


def test_the_calculation_agrees_with_four_clients_of_one_server() -> None:
    """Of docs/performance.md: 1.50 GB/s of uniform float32, all on the same two cores."""
    figures = Figures.with_changes({"sampling": 0.3})
    four = Model("four fetches of 256 MiB", 0.268, 1, 1)
    asked = work(Way.WHOLE, four, Fleet(4, replicas=1, has_tls=False), figures)
    seconds = (asked.replica_core_seconds + asked.host_core_seconds) / 2
    assert 4 * four.gigabytes / seconds == pytest.approx(1.50, rel=0.3)


def test_a_figure_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--figure", "speed=3"], ["--figure", "call=0"], ["--figure", "call"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "--figure" in capsys.readouterr().err


def test_a_readers_own_figure_is_used_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--figure", "sampling=0.5"]) == 0
    assert "| `sampling` | 0.5 core s/GB | given | --figure |" in capsys.readouterr().out


@pytest.mark.parametrize("of", TABLES, ids=lambda of: str(of.__name__))
def test_the_page_has_the_table_that_the_command_prints(of: object) -> None:
    assert callable(of)
    assert of(FIGURES) in PAGE.read_text()


def test_the_page_names_every_assumed_figure() -> None:
    text = PAGE.read_text()
    for field in dataclasses.fields(Figures):
        assert re.search(rf"`{field.name}`", text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (3.14, "3.1 s"), (27.4, "27 s"), (200, "3.3 min"), (8000, "2.2 h")],
)
def test_a_duration_is_written_to_two_digits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("gigabytes", "text"), [(0, "0"), (0.498, "500 MB"), (140, "140 GB"), (2.2e5, "220 TB")]
)
def test_a_volume_is_written_to_two_digits(gigabytes: float, text: str) -> None:
    assert volume(gigabytes) == text
