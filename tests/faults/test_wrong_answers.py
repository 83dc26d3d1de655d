"""Answers that are damaged, of another question, or endless: none of them is returned."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from random import Random
from threading import Lock
from typing import Any

import grpc
import pytest

import seedbed as sb
from seedbed.deadlines import DEFAULT_PATIENCE_SECONDS
from seedbed.transports import grpc_calls, remote, tries
from seedbed.transports.http2 import connection
from seedbed.transports.http2.connection import PING_GAP_SECONDS
from seedbed.transports.try_limits import ALONE, STALL_SECONDS
from seedbed.v1 import service_pb2
from tests.faults.contents import MIB, Contents, Question
from tests.faults.relay import Ask, Handle, relay
from tests.raw_calls import SERVICE
from tests.soak import scaled

REQUESTS: dict[str, Any] = {
    f"/{SERVICE}/SampleTensors": service_pb2.SampleTensorsRequest,
    f"/{SERVICE}/SampleSmallTensor": service_pb2.SampleSmallTensorRequest,
    f"/{SERVICE}/DigestTensors": service_pb2.DigestTensorsRequest,
    f"/{SERVICE}/DescribeTensors": service_pb2.DescribeTensorsRequest,
}
# Options are gRPC's, so that it makes the calls.
BY_GRPC: dict[str, int | str] = {"grpc.lb_policy_name": "pick_first"}
KINDS = ("sample", "sample_all", "chunks", "device", "small", "digest", "describe")


class Sometimes:
    """Does something to every second call of a method, of any thread, and not to the others."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: dict[str, int] = {}

    def __call__(self, method: str) -> bool:
        with self._lock:
            self._calls[method] = self._calls.get(method, 0) + 1
            return self._calls[method] % 2 == 1


def flipped(data: bytes, random: Random) -> bytes:
    """Return bytes with one bit changed."""
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def damaging_answers(random: Random) -> Handle:
    """Change a bit of one answer of every second call; TCP and HTTP/2 find nothing wrong."""
    is_due = Sometimes()

    def handle(
        method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
    ) -> Iterator[bytes]:
        must_damage = is_due(method)
        for answer in ask(request):
            if must_damage and answer:
                must_damage = False
                yield flipped(answer, random)
            else:
                yield answer

    return handle


def damaging_requests(random: Random) -> Handle:
    """Change a bit of every second request, so that it asks for something else, or for nothing."""
    is_due = Sometimes()

    def handle(
        method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
    ) -> Iterable[bytes]:
        return ask(flipped(request, random) if request and is_due(method) else request)

    return handle


@pytest.mark.parametrize("damage", [damaging_answers, damaging_requests])
@pytest.mark.parametrize("kind", KINDS)
def test_no_bit_of_a_message_can_be_changed_unnoticed(
    server: str, contents: Contents, kind: str, damage: Callable[[Random], Handle]
) -> None:
    question = Question(kind, contents.specs[0], contents)
    count = scaled(10, full=200)
    with relay(server, damage(Random(kind))) as address, sb.connect(address) as client:
        wrong = sum(not question.is_right(question.ask(client)) for _ in range(count))
        failures = client.stats().failures
    print(f"{kind}, {damage.__name__}: {count} calls, {failures} tries failed, {wrong} wrong")
    assert wrong == 0
    assert failures > 0


def asking_for_another(
    method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
) -> Iterable[bytes]:
    """Ask for tensors of another seed: valid answers, of another question."""
    message = REQUESTS[method].FromString(request)
    for tensor in getattr(message, "tensors", None) or [message.tensor]:
        tensor.spec.seed += 1
    return ask(message.SerializeToString(deterministic=True))


def dropping_a_field(
    method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
) -> Iterable[bytes]:
    """Ask as a server understands that does not know what a draw is."""
    message = REQUESTS[method].FromString(request)
    for tensor in getattr(message, "tensors", None) or [message.tensor]:
        tensor.spec.ClearField("draw")
    return ask(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize("kind", ["sample", "sample_all", "chunks", "small", "digest", "describe"])
def test_an_answer_to_another_question_is_refused(
    server: str, contents: Contents, kind: str
) -> None:
    question = Question(kind, contents.specs[0], contents)
    with relay(server, asking_for_another) as address, sb.connect(address) as client:
        began = time.monotonic()
        with pytest.raises(sb.DataLossError, match="seed"):
            question.ask(client)
        assert time.monotonic() - began < DEFAULT_PATIENCE_SECONDS


@pytest.mark.parametrize("kind", ["sample", "chunks", "small", "digest", "describe"])
def test_another_replica_answers_the_question(
    server: str, contents: Contents, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, the right one that is late would pass for a silent one.
    monkeypatch.setattr(remote, "AMONG_REPLICAS", ALONE)
    question = Question(kind, contents.specs[0], contents)
    with relay(server, asking_for_another) as address, sb.connect([address, server]) as client:
        assert all(question.is_right(question.ask(client)) for _ in range(6))


def test_a_server_that_does_not_know_a_field_is_refused_by_name(server: str) -> None:
    spec = sb.TensorSpec("w", (MIB,), "bfloat16", sb.RandomUniform(seed=1), draw=3)
    with (
        relay(server, dropping_a_field) as address,
        sb.connect(address) as client,
        pytest.raises(sb.DataLossError, match="draw"),
    ):
        client.sample(spec)


def stalling(calls: int) -> Handle:
    """Send one answer of each of the first calls, and no more, on a connection that lives."""
    left = [None] * calls

    def handle(
        method: str, request: bytes, context: grpc.ServicerContext, ask: Ask
    ) -> Iterator[bytes]:
        answers = ask(request)
        if left:
            left.pop()
            yield next(answers)
            while context.is_active():
                time.sleep(0.05)
        yield from answers

    return handle


@pytest.mark.parametrize("options", [None, BY_GRPC], ids=["HTTP/2", "gRPC"])
@pytest.mark.parametrize("kind", ["sample", "chunks", "sample_all"])
def test_a_stream_that_stalls_while_pings_are_answered_is_resumed(
    server: str,
    contents: Contents,
    kind: str,
    options: dict[str, int | str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In proportion.
    fifth = replace(
        ALONE,
        silence_seconds=ALONE.silence_seconds / 5,
        answer_seconds=ALONE.answer_seconds / 5,
    )
    monkeypatch.setattr(remote, "ALONE", fifth)
    monkeypatch.setattr(tries, "ALONE", fifth)
    monkeypatch.setattr(connection, "STALL_SECONDS", STALL_SECONDS / 5)
    monkeypatch.setattr(grpc_calls, "STALL_SECONDS", STALL_SECONDS / 5)
    monkeypatch.setattr(connection, "PING_GAP_SECONDS", PING_GAP_SECONDS / 5)
    question = Question(kind, contents.specs[3], contents)
    with (
        relay(server, stalling(2)) as address,
        sb.connect(address, options=options) as client,
    ):
        assert question.is_right(question.ask(client))
        # More where the real server was late as well.
        assert client.stats().resumes >= 2


def test_a_stream_that_stalls_is_taken_over_by_another_replica(
    server: str, contents: Contents
) -> None:
    question = Question("sample", contents.specs[-1], contents)
    with relay(server, stalling(100)) as address, sb.connect([address, server]) as client:
        began = time.monotonic()
        assert question.is_right(question.ask(client))
        assert time.monotonic() - began < 10
