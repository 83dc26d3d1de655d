"""Several connections as one: every byte arrives once, whichever of them fail."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedbed as sb
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest
from seedbed.transports import replicas
from seedbed.transports.base import Transport, embedded_transport
from seedbed.transports.ranges import parts, portions
from seedbed.transports.replicas import ReplicasTransport
from seedbed.wire.chunks import Chunk

KIBIBYTE = 1024


class Flaky:
    """The embedded engine as a server that fails now and then."""

    def __init__(self, name: str, fails: Callable[[int], Exception | None]) -> None:
        self._engine = embedded_transport()
        self.target = name
        self._fails = fails
        self._lock = threading.Lock()
        self.calls = 0
        self.closed = False
        self.asked: list[TensorRequest] = []

    def _count(self) -> None:
        with self._lock:
            self.calls += 1
            error = self._fails(self.calls)
        if error is not None:
            raise error

    def close(self) -> None:
        self.closed = True

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            self._count()
            return getattr(self._engine, name)(*arguments)

        return ask

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        self.asked += requests
        outs[0][:1] = b"x"  # what a broken fetch leaves behind
        on_bytes(1)
        try:
            self._count()
        finally:
            on_bytes(-1)
        return self._engine.fill(requests, outs, on_bytes, timeout_seconds)

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        whole = np.empty(request.size_bytes, np.uint8)
        self._engine.fill([request], [whole.data], lambda size: None)
        for begin in range(first_byte, request.size_bytes, 4 * KIBIBYTE):
            self._count()
            yield Chunk(begin, b"", whole.data[begin : begin + 4 * KIBIBYTE])


def never(call: int) -> None:
    return None


def always(call: int) -> Exception:
    return sb.UnavailableError("it is not there")


def sometimes(call: int) -> Exception | None:
    return sb.DataLossError("a byte was lost") if call % 3 == 2 else None


SPEC = sb.TensorSpec("w", (100, 7, 33), "float32", sb.RandomNormal(seed=1))
MODEL = sb.Manifest(
    [SPEC, *(sb.TensorSpec(f"b{i}", (i,), "bfloat16", sb.GlorotUniform(seed=2)) for i in range(40))]
)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "PORTION_BYTES", 8 * KIBIBYTE)


def client_of(*transports: Transport) -> sb.Client:
    return sb.Client(ReplicasTransport(transports))


@given(
    shape=st.lists(st.integers(0, 6), max_size=4).map(tuple),
    part_bytes=st.integers(1, 200),
    data=st.data(),
)
def test_the_parts_of_a_request_are_its_bytes_in_order(
    shape: tuple[int, ...], part_bytes: int, data: st.DataObject
) -> None:
    starts = tuple(data.draw(st.integers(0, length)) for length in shape)
    lengths = tuple(
        data.draw(st.integers(0, length - start))
        for start, length in zip(starts, shape, strict=True)
    )
    spec = sb.TensorSpec("w", shape, "float32", sb.RandomUniform(seed=3))
    request = TensorRequest(spec, data.draw(st.sampled_from([None, TensorSlice(starts, lengths)])))
    engine = embedded_transport()

    def sampled(wanted: TensorRequest) -> bytes:
        out = np.empty(wanted.size_bytes, np.uint8)
        engine.fill([wanted], [out.data], lambda size: None)
        return out.tobytes()

    whole = sampled(request)
    position = 0
    for part, begin, end in parts(request, part_bytes):
        assert begin == position
        assert part.size_bytes == end - begin
        assert sampled(part) == whole[begin:end]
        position = end
    assert position == request.size_bytes


def test_small_tensors_travel_together_and_large_ones_are_cut() -> None:
    requests = [TensorRequest(spec) for spec in MODEL.tensors]
    outs = [memoryview(bytearray(request.size_bytes)) for request in requests]
    found = list(portions(requests, outs, 8 * KIBIBYTE))
    sizes = [sum(request.size_bytes for request in portion.requests) for portion in found]
    assert sum(sizes) == sum(request.size_bytes for request in requests)
    assert max(sizes) < 3 * 8 * KIBIBYTE
    assert len(found[-1].requests) > 30


@pytest.mark.parametrize(
    "behaviours",
    [[never], [never, never], [always, never], [never, always, sometimes], [sometimes, sometimes]],
    ids=["one", "two", "first dead", "third flaky", "all flaky"],
)
def test_a_fetch_is_whole_whichever_servers_fail(
    behaviours: list[Callable[[int], Exception | None]],
) -> None:
    servers = [Flaky(f"server-{i}", behaviour) for i, behaviour in enumerate(behaviours)]
    with sb.connect("embedded:") as alone, client_of(*servers) as client:
        assert client.sample(SPEC).tobytes() == alone.sample(SPEC).tobytes()
        model = client.sample_all(MODEL)
        assert {name: array.tobytes() for name, array in model.items()} == {
            name: array.tobytes() for name, array in alone.sample_all(MODEL).items()
        }
        assert (
            b"".join(bytes(chunk.data) for chunk in client.chunks(SPEC))
            == alone.sample(SPEC).tobytes()
        )
        assert client.digest(SPEC) == alone.digest(SPEC)
        assert client.describe_all(MODEL) == alone.describe_all(MODEL)
    assert all(server.closed for server in servers)


def test_all_connections_take_part() -> None:
    servers = [Flaky(f"server-{i}", never) for i in range(3)]
    barrier = threading.Barrier(3, timeout=30)

    def meet(call: int) -> None:
        if call == 1:
            barrier.wait()

    for server in servers:
        server._fails = meet
    with client_of(*servers) as client:
        client.sample(SPEC)
    assert all(server.asked for server in servers)
    asked = [request for server in servers for request in server.asked]
    assert sum(request.size_bytes for request in asked) == TensorRequest(SPEC).size_bytes


def test_when_no_server_answers_the_last_error_comes_out() -> None:
    servers = [Flaky(f"server-{i}", always) for i in range(2)]
    with client_of(*servers) as client:
        assert client.target == "server-0,server-1"
        for call in (
            lambda: client.sample(SPEC),
            lambda: client.digest(SPEC),
            lambda: list(client.chunks(SPEC)),
        ):
            with pytest.raises(sb.UnavailableError, match="it is not there"):
                call()
    assert max(server.calls for server in servers) <= 12


def test_an_error_that_others_would_have_too_is_not_retried() -> None:
    servers = [
        Flaky(f"server-{i}", lambda call: sb.InvalidValueError("too large")) for i in range(2)
    ]
    with client_of(*servers) as client, pytest.raises(sb.InvalidValueError, match="too large"):
        client.sample(SPEC)
    assert sum(server.calls for server in servers) <= 2


def test_progress_counts_every_byte_once() -> None:
    seen: list[int] = []
    transport = ReplicasTransport([Flaky("a", sometimes), Flaky("b", never)])
    out = np.empty(TensorRequest(SPEC).size_bytes, np.uint8)
    transport.fill([TensorRequest(SPEC)], [out.data], seen.append)
    assert sum(seen) == out.size


def test_the_time_limit_holds_for_the_fetch_as_a_whole() -> None:
    with (
        client_of(Flaky("a", sometimes)) as client,
        pytest.raises(sb.DeadlineError, match="did not finish within"),
    ):
        client.sample(SPEC, timeout_seconds=1e-9)
