"""Tries over a real server: every byte arrives once, whichever tries fail, and calls end well."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import grpc
import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed.transports import ranged_fetch, remote, tries
from seedbed.transports import replica as replica_module
from seedbed.transports.calls import Call
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import plain_address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.http2.errors import CallError, SilentError
from seedbed.transports.mapping import Mapper
from seedbed.transports.probe import Probe
from seedbed.transports.remote import RemoteTransport
from seedbed.transports.replica import Replica
from seedbed.transports.replicas import Replicas
from seedbed.transports.try_limits import ALONE, TryLimits
from tests.servers import ServerProcess
from tests.waiting import LATE_SECONDS, wait_until

KIBIBYTE = 1024

SPEC = sb.TensorSpec("w", (100, 7, 33), "float32", sb.RandomNormal(seed=1))
LARGE = sb.TensorSpec("large", (4096, 1024), "float32", sb.RandomUniform(seed=2))
MODEL = sb.Manifest(
    [SPEC, *(sb.TensorSpec(f"b{i}", (i,), "bfloat16", sb.GlorotUniform(seed=2)) for i in range(40))]
)
HEALTH = "/grpc.health.v1.Health/Check"

Fails = Callable[[int], Exception | None]


class FlakyCall:
    """A call that may break before one of its messages."""

    def __init__(self, call: Call, count: Callable[[], None]) -> None:
        self._call = call
        self._count = count
        self.read, self.read_into, self.cancel = call.read, call.read_into, call.cancel

    def next_message(self) -> int | None:
        self._count()
        return self._call.next_message()


class FlakyCalls:
    """Calls of a real server, of which some fail: the n-th call or message, as a function says."""

    def __init__(self, address: str, fails: Fails, *, pause_seconds: float = 0.0) -> None:
        found = plain_address(address, {})
        assert found is not None
        self._calls = Connections(found)
        self._fails = fails
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self.count = 0
        self.methods: list[str] = []

    def _count(self) -> None:
        with self._lock:
            self.count += 1
            error = self._fails(self.count)
        time.sleep(self._pause_seconds)
        if error is not None:
            raise error

    @contextmanager
    def call(
        self, method: str, message: bytes, limits: TryLimits, cancellation: Cancellation
    ) -> Iterator[Call]:
        self.methods.append(method)
        self._count()
        with self._calls.call(method, message, limits, cancellation) as call:
            yield FlakyCall(call, self._count)

    def close(self) -> None:
        self._calls.close()


def never(call: int) -> None:
    return None


def unavailable(call: int) -> Exception:
    return SilentError("it is not there")


def sometimes(call: int) -> Exception | None:
    return CallError(grpc.StatusCode.UNAVAILABLE, "it broke") if call % 7 in (2, 5) else None


def damaged(call: int) -> Exception | None:
    return sb.DataLossError("a byte was lost") if call % 5 == 2 else None


def refused(call: int) -> Exception:
    return CallError(grpc.StatusCode.INVALID_ARGUMENT, "too large")


def unknown(call: int) -> Exception:
    return CallError(grpc.StatusCode.UNAUTHENTICATED, "the token is unknown")


def forbidden(call: int) -> Exception:
    return CallError(grpc.StatusCode.PERMISSION_DENIED, "not this method")


def meeting(servers: int) -> Fails:
    """Return what lets the first call of each server wait for that of the others."""
    barrier = threading.Barrier(servers, timeout=120)

    def meet(call: int) -> None:
        if call == 1:
            barrier.wait()

    return meet


def client_of(*calls: FlakyCalls, patience_seconds: float = 20.0, channels: int = 1) -> sb.Client:
    replicas = [
        Replica(f"server-{i}", each, Mapper("none"), Probe(None), has_others=len(calls) > 1)
        for i, each in enumerate(calls)
    ]
    return sb.Client(RemoteTransport(Replicas(replicas, channels), patience_seconds))


@pytest.fixture(autouse=True)
def _patience_with_real_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, one that is late would pass for a silent one."""
    monkeypatch.setattr(remote, "AMONG_REPLICAS", ALONE)
    monkeypatch.setattr(ranged_fetch, "STILL_SECONDS", 60.0)


@pytest.fixture
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PORTION_BYTES", 8 * KIBIBYTE)
    monkeypatch.setattr(remote, "RANGED_BYTES", 0)


@pytest.fixture(scope="module")
def address(server: ServerProcess) -> str:
    return server.address


BEHAVIOURS: dict[str, list[Fails]] = {
    "one": [never],
    "two": [never, never],
    "one that breaks": [sometimes],
    "one that damages": [damaged],
    "first dead": [unavailable, never],
    "third flaky": [never, unavailable, sometimes],
    "all flaky": [sometimes, damaged, sometimes],
}


@pytest.mark.parametrize("behaviours", BEHAVIOURS.values(), ids=BEHAVIOURS.keys())
@pytest.mark.parametrize("is_ranged", [False, True], ids=["one connection", "ranges"])
def test_a_call_ends_well_whichever_tries_fail(
    address: str, behaviours: list[Fails], is_ranged: bool, request: pytest.FixtureRequest
) -> None:
    if is_ranged:
        request.getfixturevalue("_small_portions")
    servers = [FlakyCalls(address, behaviour) for behaviour in behaviours]
    with sb.connect("embedded:") as alone, client_of(*servers) as client:
        whole = alone.sample(SPEC).tobytes()
        assert client.sample(SPEC).tobytes() == whole
        model = client.sample_all(MODEL)
        assert {name: array.tobytes() for name, array in model.items()} == {
            name: array.tobytes() for name, array in alone.sample_all(MODEL).items()
        }
        assert b"".join(bytes(chunk.data) for chunk in client.chunks(SPEC)) == whole
        assert client.digest(SPEC) == alone.digest(SPEC)
        assert client.digest_all(MODEL) == alone.digest_all(MODEL)
        assert client.describe_all(MODEL) == alone.describe_all(MODEL)
        assert len(client.list_initializers()) == len(alone.list_initializers())
        stats = client.stats()
    failed = {each.target for each in stats.replicas if each.failures}
    assert failed == {
        f"server-{i}" for i, behaviour in enumerate(behaviours) if behaviour is not never
    }


def test_a_broken_stream_goes_on_where_it_broke(address: str) -> None:
    with client_of(FlakyCalls(address, lambda call: sometimes(call + 2))) as client:
        begins = [chunk.byte_offset for chunk in client.chunks(LARGE)]
        stats = client.stats()
    assert all(a < b for a, b in pairwise(begins))
    # The first try may break before its first byte.
    assert stats.failures - 1 <= stats.resumes <= stats.failures
    assert stats.resumes > 2
    assert stats.bytes_received == TensorRequest(LARGE).size_bytes


@pytest.mark.usefixtures("_small_portions")
def test_all_servers_take_part(address: str) -> None:
    meet = meeting(3)
    servers = [FlakyCalls(address, meet) for _ in range(3)]
    with client_of(*servers) as client:
        client.sample(SPEC)
        stats = client.stats()
    assert all(each.bytes_received for each in stats.replicas)
    assert stats.bytes_received == TensorRequest(SPEC).size_bytes


@pytest.mark.parametrize("count", [1, 2], ids=["one server", "two servers"])
def test_when_no_server_answers_the_call_ends_after_its_patience(address: str, count: int) -> None:
    servers = [FlakyCalls(address, unavailable) for _ in range(count)]
    with client_of(*servers, patience_seconds=0.5) as client:
        for call in (
            lambda: client.sample(SPEC),
            lambda: client.digest(SPEC),
            lambda: list(client.chunks(SPEC)),
        ):
            begun = time.monotonic()
            with pytest.raises(
                sb.UnavailableError, match=r"not there.*tried \d+ times in (0\.[5-9]|[1-9])"
            ):
                call()
            assert time.monotonic() - begun >= 0.5
    # The waits between tries double, so they are few.
    assert sum(server.count for server in servers) < 60


def test_the_time_limit_counts_where_there_is_one(address: str) -> None:
    with client_of(FlakyCalls(address, unavailable), patience_seconds=0) as client:
        begun = time.monotonic()
        with pytest.raises(sb.UnavailableError, match="it is not there"):
            client.sample(SPEC, timeout_seconds=0.6)
        assert 0.6 <= time.monotonic() - begun < LATE_SECONDS
        with pytest.raises(sb.UnavailableError, match="it is not there"):
            client.sample(SPEC)
    with client_of(FlakyCalls(address, sometimes)) as client:  # noqa: SIM117
        with pytest.raises(sb.DeadlineError, match="did not finish within"):
            client.sample(SPEC, timeout_seconds=1e-9)


def test_an_error_of_doubtful_origin_is_believed_when_it_repeats(address: str) -> None:
    """A request may be damaged on its way, and the refusal be of what became of it."""
    once = FlakyCalls(address, lambda call: refused(call) if call == 1 else None)
    with client_of(once) as client:
        client.sample(SPEC)
    with (
        client_of(FlakyCalls(address, refused)) as client,
        pytest.raises(sb.InvalidValueError, match=r"too large \(tried \d times"),
    ):
        client.sample(SPEC)


def test_an_error_that_is_shown_to_be_about_the_request_is_believed_at_once(address: str) -> None:
    calls = FlakyCalls(address, never)
    with client_of(calls) as client, pytest.raises(sb.InvalidValueError, match="max_tensor_bytes"):
        client.digest(sb.TensorSpec("w", (2**50,), "float32", sb.Zeros()))
    assert len(calls.methods) == 1


UNWELCOME: dict[str, tuple[Fails, type[sb.SeedbedError]]] = {
    "unknown": (unknown, sb.AuthenticationError),
    "forbidden": (forbidden, sb.PermissionDeniedError),
}


@pytest.mark.parametrize(("behaviour", "kind"), UNWELCOME.values(), ids=UNWELCOME)
@pytest.mark.parametrize("count", [1, 2], ids=["one server", "two servers"])
@pytest.mark.parametrize("is_ranged", [False, True], ids=["one connection", "ranges"])
def test_who_is_unwelcome_everywhere_hears_it_at_once(
    address: str,
    behaviour: Fails,
    kind: type[sb.SeedbedError],
    count: int,
    is_ranged: bool,
    request: pytest.FixtureRequest,
) -> None:
    if is_ranged:
        request.getfixturevalue("_small_portions")
    servers = [FlakyCalls(address, behaviour) for _ in range(count)]
    with client_of(*servers) as client:
        for call in (
            lambda: client.sample(SPEC),
            lambda: client.digest(SPEC),
            lambda: list(client.chunks(SPEC)),
        ):
            tried = sum(server.count for server in servers)
            with pytest.raises(kind) as caught:
                call()
            assert isinstance(caught.value, PermissionError)
            assert sum(server.count for server in servers) <= tried + count


@pytest.mark.parametrize("is_ranged", [False, True], ids=["one connection", "ranges"])
@pytest.mark.parametrize(("behaviour", "kind"), UNWELCOME.values(), ids=UNWELCOME)
def test_a_server_that_has_not_heard_of_a_token_is_passed_over_for_a_while(
    address: str,
    behaviour: Fails,
    kind: type[sb.SeedbedError],
    is_ranged: bool,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_ranged:
        request.getfixturevalue("_small_portions")
    monkeypatch.setattr(replica_module, "UNWELCOME_SECONDS", 30.0)
    late = FlakyCalls(address, behaviour)
    with sb.connect("embedded:") as alone, client_of(late, FlakyCalls(address, never)) as client:
        for _ in range(4):
            assert client.sample(SPEC).tobytes() == alone.sample(SPEC).tobytes()
        assert [each.is_set_aside for each in client.stats().replicas] == [True, False]
    assert late.count == 1


@pytest.mark.usefixtures("_small_portions")
@pytest.mark.parametrize("behaviour", [never, sometimes, damaged])
def test_progress_counts_every_byte_once(address: str, behaviour: Fails) -> None:
    seen: list[int] = []
    with client_of(FlakyCalls(address, behaviour), FlakyCalls(address, never)) as client:
        out = np.empty(TensorRequest(SPEC).size_bytes, np.uint8)
        client._transport.fill([TensorRequest(SPEC)], [out.data], seen.append)
    assert sum(seen) == out.size
    assert min(seen) > 0


def test_a_server_that_is_found_again_is_not_asked_before_the_time_it_named(address: str) -> None:
    is_there = threading.Event()
    calls = FlakyCalls(address, lambda call: None if is_there.is_set() else unavailable(call))
    replica = Replica("server", calls, Mapper("none"), Probe(None), has_others=True)
    replica.failed(sb.UnavailableError("gone"))
    replica.failed(sb.OverloadedError("full", retry_after_seconds=60.0))
    is_there.set()
    wait_until(replica.is_found)
    assert replica.ready_in_seconds > 30
    assert replica.is_set_aside
    replica.close()


def test_a_server_that_is_not_there_is_set_aside_and_found_again(address: str) -> None:
    is_there = threading.Event()
    dead = FlakyCalls(address, lambda call: None if is_there.is_set() else unavailable(call))
    with client_of(dead, FlakyCalls(address, never)) as client:
        for _ in range(4):
            client.sample(SPEC)
        assert [each.is_set_aside for each in client.stats().replicas] == [True, False]
        assert sum(method != HEALTH for method in dead.methods) == 1
        wait_until(lambda: HEALTH in dead.methods)
        is_there.set()
        wait_until(lambda: not client.stats().replicas[0].is_set_aside)
        before = client.stats().replicas[0].bytes_received
        for _ in range(2):
            client.sample(SPEC)
        assert client.stats().replicas[0].bytes_received > before


def test_a_range_that_lags_is_asked_for_elsewhere_as_well(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranged_fetch, "STILL_SECONDS", 0.2)
    monkeypatch.setattr(remote, "PORTION_BYTES", TensorRequest(LARGE).size_bytes // 2)
    meet = meeting(2)
    slow = FlakyCalls(address, meet, pause_seconds=5.0)
    with sb.connect("embedded:") as alone, client_of(slow, FlakyCalls(address, meet)) as client:
        expected = alone.sample(LARGE).tobytes()
        begun = time.monotonic()
        for _ in range(2):
            assert client.sample(LARGE).tobytes() == expected
        assert time.monotonic() - begun < 40  # the slow one alone would take 60 and more
        assert client.stats().hedges >= 1


@pytest.mark.parametrize("end", ["close", "cancel"])
@pytest.mark.parametrize("count", [1, 2], ids=["one server", "two servers"])
@pytest.mark.parametrize("spec", [SPEC, LARGE], ids=["one connection", "ranges"])
def test_a_call_that_waits_between_tries_can_be_ended(
    address: str, end: str, count: int, spec: sb.TensorSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (tries, ranged_fetch):
        monkeypatch.setattr(module, "backoff_seconds", lambda failures: 60.0)
    servers = [FlakyCalls(address, unavailable) for _ in range(count)]
    client = client_of(*servers, patience_seconds=60.0)
    ended: list[Exception] = []

    def ask() -> None:
        try:
            client.sample(spec)
        except sb.SeedbedError as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: all(each.count for each in servers))
    time.sleep(0.5)
    (client.close if end == "close" else client._transport.cancel)()
    asking.join(LATE_SECONDS)
    assert not asking.is_alive()
    assert isinstance(ended[0], sb.CancelledError)
    client.close()
