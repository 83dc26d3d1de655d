"""What quotas come to: tighter limits, and bytes by the day."""

from dataclasses import replace
from pathlib import Path

import pytest

from seedbed.spec.errors import InvalidValueError
from seedbed.spec.info import Limits
from seedbed.spec.reasons import Reason
from seedbed_server import watched_files
from seedbed_server.refusals import CallerError, QuotaError
from seedbed_server.security.identities import peer_of_identity
from seedbed_server.security.policy import Quotas
from seedbed_server.security.quotas import DAY_SECONDS, DailyBytes, tightened
from seedbed_server.security.tokens import new_token
from seedbed_server.service import workers as workers_module
from seedbed_server.service.authentication import Authentication
from seedbed_server.settings import Settings

NOON = 20_000.5 * DAY_SECONDS


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def give(daily: DailyBytes, wanted: int, given: int | None = None, quota: int = 100) -> None:
    with daily.taken("a", quota, wanted, lambda: wanted if given is None else given):
        pass


def test_a_quota_never_loosens_a_limit() -> None:
    limits = Limits()
    assert tightened(limits, Quotas()) == limits
    assert tightened(limits, Quotas(inflight_bytes=2**60, cost_seconds_per_request=8e4)) == limits
    assert tightened(limits, Quotas(2**20, 1, 5.0, 1)) == replace(
        limits, max_working_bytes=2**20, max_request_cost_seconds=5.0
    )


def test_a_day_holds_its_quota_and_no_more(clock: Clock) -> None:
    daily = DailyBytes(clock=clock)
    give(daily, 60)
    give(daily, 40)
    with pytest.raises(QuotaError, match="1 bytes are more than the 0 that are left") as caught:
        give(daily, 1)
    assert caught.value.quota == "bytes_per_day"
    assert caught.value.reason is Reason.QUOTA_EXCEEDED
    assert caught.value.retry_after_seconds == DAY_SECONDS / 2
    with daily.taken("b", 100, 100, lambda: 100):
        pass


def test_whom_a_new_policy_leaves_out_keeps_its_quotas_for_what_is_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_files, "LOOK_SECONDS", 0.0)
    tokens, policy = tmp_path / "tokens", tmp_path / "policy.yaml"
    tokens.write_text(new_token("a")[1])
    tokens.chmod(0o600)
    policy.write_text("identities: {a: {quotas: {matrices: 2}}}")
    authentication = Authentication(Settings(tokens=tokens, policy=policy))
    matrices = authentication.caps().matrices
    peer = peer_of_identity("a")
    authentication.rule("a", "SampleTensors")
    policy.write_text("identities: {somebody-else: {}}")
    with pytest.raises(CallerError):
        authentication.rule("a", "SampleTensors")
    matrices.hold(peer, 2)
    assert not matrices.has_room(peer, 1)


def test_what_was_not_given_may_be_taken_anew(clock: Clock) -> None:
    daily = DailyBytes(clock=clock)
    give(daily, 100, given=10)
    with daily.taken("a", 100, 90, lambda: 0), pytest.raises(QuotaError):
        give(daily, 1)
    give(daily, 90)


def test_each_day_begins_anew_and_owes_the_last_one_nothing(clock: Clock) -> None:
    daily = DailyBytes(clock=clock)
    with daily.taken("a", 100, 100, lambda: 0):
        clock.now += DAY_SECONDS / 2
        give(daily, 100)
    with pytest.raises(QuotaError):
        give(daily, 1)


def test_more_than_a_whole_day_has_can_never_be(clock: Clock) -> None:
    with pytest.raises(InvalidValueError, match=r"at most 100 bytes in all \(bytes_per_day\)"):
        give(DailyBytes(clock=clock), 101)


def test_each_worker_gives_its_share(clock: Clock) -> None:
    daily = DailyBytes(workers=4, clock=clock)
    give(daily, 25)
    with pytest.raises(QuotaError):
        give(daily, 1)


def test_a_quota_that_was_lowered_leaves_nothing(clock: Clock) -> None:
    daily = DailyBytes(clock=clock)
    give(daily, 80)
    with pytest.raises(QuotaError, match="the 0 that are left today of 50"):
        give(daily, 1, quota=50)


@pytest.mark.parametrize("workers", [None, 3], ids=["one for each GPU", "given"])
def test_each_worker_knows_how_many_there_are(
    workers: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "cuda_device_count", lambda: 3)
    each = workers_module.worker_settings(Settings(device="gpu", workers=workers))
    assert [settings.workers for settings in each] == [3, 3, 3]
