"""A server refuses what it cannot do: it names the field and the reason, and goes on serving."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import xxhash

import seedbed as sb
from seedbed.transports.statuses import from_rpc_error
from seedbed.v1 import service_pb2, tensors_pb2
from tests.attacks.bad_requests import CASES, Case
from tests.attacks.neutral_words import assert_no_language
from tests.attacks.paths import assert_is_a_path
from tests.raw_calls import (
    NUMERICS,
    SERVICE,
    Refusal,
    bytes_by_tensor,
    parts_of,
    raw_sample,
    raw_stream,
    refusal,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess, serving

# Trailing metadata has a limit of 8 KiB; the status travels in base64, its message once more beside
# it.
LARGEST_STATUS = 3500


@pytest.fixture(scope="module")
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _still_there(server: ServerProcess, channel: grpc.Channel) -> Iterator[None]:
    """After each test the same process answers, and has logged no traceback."""
    tracebacks = server.log.count("Traceback")
    yield
    assert server.process.poll() is None
    assert bytes_by_tensor(parts_of(channel, sample_request(tensor((2,), "ones")))) == {
        0: b"\0\0\x80\x3f" * 2
    }
    assert server.log.count("Traceback") == tracebacks


def _check(answer: Refusal, case: Case) -> None:
    assert (answer.code, answer.reason, answer.limit) == (case.code, case.reason, case.limit)
    assert answer.domain == "seedbed"
    assert [field for field, _ in answer.violations] == [case.field, *case.more]
    more = f" (and {len(case.more)} more)" if case.more else ""
    assert answer.message == answer.description + more
    for field, description in answer.violations:
        assert description.startswith(f"`{field}` must be ")
        assert "Received: " in description
        assert_no_language(description)
    assert answer.size_bytes < LARGEST_STATUS
    assert answer.retry_seconds is None


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_bad_request_is_refused_with_its_field(channel: grpc.Channel, case: Case) -> None:
    message = case.request.SerializeToString()
    answer = refusal(raw_sample(channel, message))
    _check(answer, case)
    assert answer.request_hash == xxhash.xxh3_64_hexdigest(message)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_path_is_that_of_a_field_of_the_schema(case: Case) -> None:
    for path in (case.field, *case.more):
        assert_is_a_path(path, service_pb2.SampleTensorsRequest.DESCRIPTOR)


TENSOR_CASES = [
    case
    for case in CASES
    if all(path.startswith(("tensors", "numerics")) for path in (case.field, *case.more))
]


@pytest.mark.parametrize("case", TENSOR_CASES, ids=[case.title for case in TENSOR_CASES])
def test_dry_runs_and_digests_refuse_the_same(channel: grpc.Channel, case: Case) -> None:
    fields: dict[str, Any] = {"tensors": case.request.tensors, "numerics": case.request.numerics}
    _check(refusal(stub(channel).DigestTensors(service_pb2.DigestTensorsRequest(**fields))), case)
    dry_run = stub(channel).DescribeTensors(service_pb2.DescribeTensorsRequest(**fields))
    _check(refusal(dry_run), case)


NOT_MESSAGES = {
    "a name that is not UTF-8": sample_request(tensor(name="abcd"))
    .SerializeToString()
    .replace(b"abcd", b"ab\xff\xfe"),
    "a lone surrogate": sample_request(tensor(name="abc"))
    .SerializeToString()
    .replace(b"abc", b"\xed\xa0\x80"),
    "zeros": bytes(100),
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "a length beyond the end": b"\x0a\xff\xff\xff\xff\x07",
    "an end of group": b"\x0c",
}


@pytest.mark.parametrize("message", NOT_MESSAGES.values(), ids=NOT_MESSAGES.keys())
@pytest.mark.parametrize("method", ["SampleTensors", "DigestTensors", "DescribeTensors"])
def test_bytes_that_are_no_message_are_refused(
    channel: grpc.Channel, method: str, message: bytes
) -> None:
    answer = refusal(raw_stream(channel, method, message))
    assert (answer.code, answer.reason, answer.domain) == (
        "INVALID_ARGUMENT",
        "INVALID_MESSAGE",
        "seedbed",
    )
    assert f"{method}Request" in answer.message
    assert answer.violations == (("", answer.message),)
    assert_no_language(answer.message)
    assert answer.request_hash == xxhash.xxh3_64_hexdigest(message)


@pytest.mark.parametrize("method", ["SampleTensors", "DigestTensors", "DescribeTensors"])
def test_a_call_without_a_message_is_refused_at_once(channel: grpc.Channel, method: str) -> None:
    call: Any = channel.stream_stream(f"/{SERVICE}/{method}")
    answer = refusal(call(iter([]), timeout=60))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_MESSAGE")
    assert answer.message == "the call has no message"


def test_of_several_messages_the_first_is_answered(channel: grpc.Channel) -> None:
    """Whatever kind of call the client makes, gRPC reads no further."""
    message = sample_request(tensor((2,), "ones")).SerializeToString()
    call: Any = channel.stream_stream(f"/{SERVICE}/SampleTensors")
    (answer,) = call(iter([message, b"\xff"]), timeout=60)
    parts = service_pb2.SampleTensorsResponse.FromString(answer).parts
    assert bytes_by_tensor(parts) == {0: b"\0\0\x80\x3f" * 2}


def test_calls_that_are_cancelled_before_their_message_are_forgotten(
    channel: grpc.Channel,
) -> None:
    waiting = threading.Event()

    def nothing() -> Iterator[bytes]:
        waiting.wait()
        yield from ()

    calls = []
    for _ in range(20):
        start: Any = channel.stream_stream(f"/{SERVICE}/SampleTensors")
        calls.append(start(nothing()))
    time.sleep(0.2)  # on their way
    for each in calls:
        each.cancel()
    waiting.set()


def test_a_message_over_the_size_limit_is_refused(channel: grpc.Channel) -> None:
    answer = refusal(raw_sample(channel, b"\x2a" + bytes(5 * 2**20)))
    # gRPC itself refuses it, before a single byte is parsed, and so without details.
    assert answer.code == "RESOURCE_EXHAUSTED"
    assert "larger than max" in answer.message


def test_the_hash_of_a_refused_request_is_that_of_its_canonical_form(channel: grpc.Channel) -> None:
    """A client in any language can compute it: of nothing it is the published value."""
    answer = refusal(raw_stream(channel, "SampleTensors", b""))
    assert answer.request_hash == "2d06800538d394c2"


UNKNOWN_METHODS = [
    f"/{SERVICE}/DropTables",
    f"/{SERVICE}/sampletensors",
    "/seedbed.v9.SeedbedService/SampleTensors",
    "/grpc.health.v1.Health/Cure",
    "/",
    "/" + "é" * 500,
]


@pytest.mark.parametrize("method", UNKNOWN_METHODS)
@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_an_unknown_method_is_refused_by_its_name(
    channel: grpc.Channel, kind: str, method: str
) -> None:
    message = b"any bytes"
    call: Any = getattr(channel, kind)(method)
    answer = refusal(call(message if kind == "unary_stream" else iter([message])))
    assert (answer.code, answer.reason) == ("UNIMPLEMENTED", "UNKNOWN_METHOD")
    assert answer.method == method
    assert method in answer.message
    assert answer.request_hash == xxhash.xxh3_64_hexdigest(message)


@pytest.mark.parametrize(
    "method",
    [
        f"/{SERVICE}/GetServerInfo",
        f"/{SERVICE}/SampleSmallTensor",
        f"/{SERVICE}/SampleTensors",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    ],
)
def test_a_call_without_a_message_is_refused(channel: grpc.Channel, method: str) -> None:
    call: Any = channel.stream_stream(method)
    answer = refusal(call(iter([]), timeout=60))
    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "INVALID_MESSAGE")
    assert answer.message == "the call has no message"


def test_an_unknown_method_is_refused_without_a_message(channel: grpc.Channel) -> None:
    call: Any = channel.stream_stream(UNKNOWN_METHODS[0])
    answer = refusal(call(iter([]), timeout=60))
    assert (answer.reason, answer.request_hash) == ("UNKNOWN_METHOD", "2d06800538d394c2")


def test_of_many_faults_the_first_are_told_and_all_are_counted(channel: grpc.Channel) -> None:
    for count in (20, 300, 2000):
        answer = refusal(raw_sample(channel, sample_request(*[tensor([-1])] * count)))
        assert answer.message.endswith(
            f"(and {count - 1} more)" if count < 1000 else "(and at least 999 more)"
        )
        paths = [field for field, _ in answer.violations]
        assert paths == [f"tensors[{i}].spec.shape[0]" for i in range(16)]
        assert answer.size_bytes < LARGEST_STATUS


def test_as_many_faults_are_told_as_there_is_room_for(channel: grpc.Channel) -> None:
    wordy = tensor(name="\U0001f331" * 300, dtype=99, kind="sparse")
    answer = refusal(raw_sample(channel, sample_request(*[wordy] * 20)))
    assert 3 < len(answer.violations) < 16
    assert answer.message.endswith("(and 59 more)")
    assert LARGEST_STATUS - 700 < answer.size_bytes < LARGEST_STATUS


def test_a_client_shows_everything_that_is_wrong(channel: grpc.Channel) -> None:
    request = sample_request(tensor([-1]), tensor(dtype=0), numerics=0)
    with pytest.raises(grpc.RpcError) as caught:
        list(raw_sample(channel, request))
    error = from_rpc_error(caught.value, "a server", None)
    assert isinstance(error, sb.InvalidValueError)
    fields = ("tensors[0].spec.shape[0]", "tensors[1].spec.dtype", "numerics")
    assert tuple(each.field for each in error.violations) == fields
    assert error.field == fields[0]
    for violation in error.violations:
        assert violation.message in str(error)
    assert "(and 2 more)" in str(error)


def test_what_a_server_lists_is_in_no_language(channel: grpc.Channel) -> None:
    listed = stub(channel).ListInitializers(service_pb2.ListInitializersRequest()).initializers
    assert len(listed) == 23
    for each in listed:
        assert_no_language(each.description)
        for parameter in each.parameters:
            assert_no_language(parameter.description)


def test_unknown_fields_of_a_later_version_are_ignored(channel: grpc.Channel) -> None:
    later = (
        sample_request(tensor((2,), "ones")).SerializeToString()
        + b"\xfa\x3f\x03new"
        + b"\xf0\x3f\x07"
    )
    responses = map(service_pb2.SampleTensorsResponse.FromString, raw_sample(channel, later))
    assert bytes_by_tensor(part for each in responses for part in each.parts) == {
        0: b"\0\0\x80\x3f" * 2
    }


HUGE = 2**63 - 1
EMPTY_BUT_HUGE = {
    "the last axis empty": [HUGE] * 31 + [0],
    "the first axis empty": [0] + [HUGE] * 31,
    "an inner axis empty": [HUGE] * 16 + [0] + [HUGE] * 15,
}


@pytest.mark.parametrize(
    "kind",
    ["glorot_uniform", "he_normal", "variance_scaling", "orthogonal", "zeros", "random_normal"],
)
@pytest.mark.parametrize("shape", EMPTY_BUT_HUGE.values(), ids=EMPTY_BUT_HUGE.keys())
def test_an_empty_tensor_with_huge_axes_is_sent_or_refused(
    channel: grpc.Channel, shape: list[int], kind: str
) -> None:
    """The product of the other axes does not fit a float64."""
    request = sample_request(tensor(shape, kind))
    try:
        assert bytes_by_tensor(parts_of(channel, request)) == {0: b""}
    except grpc.RpcError as error:
        answer = refusal(error)
        assert (answer.code, answer.field) == ("INVALID_ARGUMENT", "tensors[0].spec.shape")
        return
    list(
        stub(channel).DescribeTensors(
            service_pb2.DescribeTensorsRequest(tensors=request.tensors, numerics=NUMERICS)
        )
    )


def test_own_limits_are_kept_and_reported() -> None:
    limits = {
        "max_tensor_bytes": 1000,
        "max_request_bytes": 1500,
        "max_tensors_per_request": 2,
        "max_chunk_bytes": 64,
    }
    limits |= {"max_orthogonal_elements": 9}
    flags = [
        part
        for name, value in limits.items()
        for part in ("--" + name.replace("_", "-"), str(value))
    ]
    with serving(*flags) as server, grpc.insecure_channel(server.address) as channel:
        reported = stub(channel).GetServerInfo(service_pb2.GetServerInfoRequest()).limits
        assert {name: getattr(reported, name) for name in limits} == limits
        assert len(parts_of(channel, sample_request(tensor((250,))))) == 16
        over = [
            ("max_tensor_bytes", "tensors[0].spec.shape", sample_request(tensor((251,)))),
            ("max_request_bytes", "tensors", sample_request(tensor((200,)), tensor((200,)))),
            ("max_tensors_per_request", "tensors", sample_request(*[tensor((1,))] * 3)),
            (
                "max_orthogonal_elements",
                "tensors[0].spec.shape",
                sample_request(tensor((2, 5), "orthogonal")),
            ),
            (
                "max_chunk_bytes",
                "transfer.max_chunk_bytes",
                sample_request(tensor((2,)), max_chunk_bytes=65),
            ),
        ]
        for limit, field, request in over:
            case = Case("", request, field, reason="OVER_LIMIT", limit=limit)
            _check(refusal(stub(channel).SampleTensors(request)), case)


def test_the_longest_legal_request_is_answered(channel: grpc.Channel) -> None:
    name = "\U0001f331" * 256
    tensors = [tensor([1] * 32, name=name), tensor([0], name=""), tensor([], name="\0")]
    content = bytes_by_tensor(parts_of(channel, sample_request(*tensors)))
    assert [len(content[i]) for i in range(3)] == [4, 0, 4]


def test_millions_of_tensors_without_anything_take_no_memory(
    channel: grpc.Channel, server: ServerProcess
) -> None:
    """Parsed, each two bytes of them would be more than a hundred."""
    before = server.memory
    empty = service_pb2.SampleTensorsRequest(tensors=[tensors_pb2.TensorRequest()])
    data = empty.SerializeToString() * (2**21 - 50)
    answers = [raw_sample(channel, data) for _ in range(4)]
    for each in map(refusal, answers):
        assert (each.reason, each.limit) == ("OVER_LIMIT", "max_tensors_per_request")
        assert each.field == "tensors"
    assert server.memory - before < 100 * 2**20
