"""A call that a server ends badly fails as in grpcio: by status, words and metadata."""

import base64
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

import seedbed as sb
from seedbed import deadlines
from seedbed.transports import tries
from tests.http2_calls import connections_to, error_of, messages_of
from tests.http2_server import METHOD, OK_HEADERS, Answer, Exchange, prefixed, scripted_server

Code = grpc.StatusCode
BAD_CODES = [code for code in Code if code is not Code.OK]


def _trailers(*headers: tuple[str, str]) -> Answer:
    """Return an answer that is a message and trailers."""

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"a"))
        exchange.start(headers, end=True)

    return answer


def _only(*headers: tuple[str, str], status: str = "200") -> Answer:
    """Return an answer without a body."""
    whole = [(":status", status), ("content-type", "application/grpc"), *headers]
    return lambda exchange: exchange.start(whole, end=True)


def _page(status: str) -> Answer:
    """Return what an HTTP server answers that knows nothing of gRPC."""

    def answer(exchange: Exchange) -> None:
        exchange.start([(":status", status), ("content-type", "text/html")])
        exchange.data(b"<html></html>", end=True)

    return answer


def _cut_off(body: bytes, *trailers: tuple[str, str]) -> Answer:
    """Return an answer whose body ends anywhere, and its stream with it."""

    def answer(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(body, end=not trailers)
        if trailers:
            exchange.start(trailers, end=True)

    return answer


def _reset(code: int, *, is_at_once: bool) -> Answer:
    def answer(exchange: Exchange) -> None:
        if not is_at_once:
            exchange.start()
        exchange.reset(code)

    return answer


def _closed(*, is_at_once: bool) -> Answer:
    def answer(exchange: Exchange) -> None:
        if not is_at_once:
            exchange.start()
            exchange.data(prefixed(b"abc")[:-1])
        exchange.line.close()

    return answer


DETAILS = base64.b64encode(
    status_pb2.Status(code=8, message="no room").SerializeToString()
).decode()
NO_ROOM = (("grpc-status", "8"), ("grpc-message", "no room"))

# Ends of which the server says how they are to be called.
TOLD: dict[str, Answer] = {
    **{
        f"status {code.value[0]}": _trailers(("grpc-status", str(code.value[0])))
        for code in BAD_CODES
    },
    **{
        f"status {code.value[0]} alone": _only(
            ("grpc-status", str(code.value[0])), ("grpc-message", "why")
        )
        for code in BAD_CODES
    },
    "words": _trailers(*NO_ROOM),
    "words without a character": _trailers(("grpc-status", "8"), ("grpc-message", "")),
    "words in percents": _trailers(
        ("grpc-status", "3"), ("grpc-message", "100%25 of caf%C3%A9%0Aand%20more")
    ),
    "words in wrong percents": _trailers(("grpc-status", "3"), ("grpc-message", "100% of %zz %2")),
    "words with a plus sign": _trailers(("grpc-status", "3"), ("grpc-message", "a+b")),
    "details": _trailers(*NO_ROOM, ("grpc-status-details-bin", DETAILS)),
    "details without padding": _trailers(
        *NO_ROOM, ("grpc-status-details-bin", DETAILS.rstrip("="))
    ),
    "details without a body": _only(*NO_ROOM, ("grpc-status-details-bin", DETAILS)),
    "metadata": _trailers(
        *NO_ROOM, ("x-text", "text"), ("x-some-bin", "AAEC"), ("x-text", "again")
    ),
    "an error inside a message": _cut_off(prefixed(b"abc")[:-1], *NO_ROOM),
    "an error of gRPC in one of HTTP": _only(*NO_ROOM, status="503"),
}

# Ends for which gRPC has words of its own.
CONCLUDED: dict[str, Answer] = {
    "an unknown status": _trailers(("grpc-status", "99")),
    "trailers without a status": _trailers(("x-text", "text")),
    "headers alone, without a status": _only(),
    "no trailers": _cut_off(prefixed(b"a")),
    "no trailers after an empty frame": _cut_off(b""),
    **{
        f"HTTP status {code}": _page(str(code))
        for code in (204, 302, 400, 401, 403, 404, 405, 429, 500, 502, 503, 504)
    },
    "a web page": _page("200"),
    **{f"a reset with {code}": _reset(code, is_at_once=False) for code in range(14)},
    **{
        f"a reset with {code} at once": _reset(code, is_at_once=True)
        for code in (0, 2, 7, 8, 11, 12)
    },
    "a connection that is closed": _closed(is_at_once=True),
    "a connection that is closed inside a message": _closed(is_at_once=False),
}


def _error_of_grpc(target: str) -> grpc.RpcError:
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_stream(METHOD, request_serializer=bytes, response_deserializer=bytes)
        with pytest.raises(grpc.RpcError) as caught:
            list(call(b"request", timeout=60))
    return caught.value


def _metadata(error: grpc.RpcError) -> list[tuple[str, str | bytes]]:
    found: Any = error.trailing_metadata()
    return [(key, value) for key, value in found]


@pytest.mark.parametrize("answer", TOLD.values(), ids=TOLD.keys())
def test_what_a_server_says_of_an_end_is_what_grpc_reports(answer: Answer) -> None:
    with scripted_server(answer) as server, connections_to(server) as connections:
        found, expected = error_of(connections), _error_of_grpc(server.target)
    assert (found.code(), found.details()) == (expected.code(), expected.details())
    reserved = (":status", "content-type", "grpc-status", "grpc-message")
    sent = [each for each in found.trailing_metadata() if each[0] not in reserved]
    assert sent == _metadata(expected)


@pytest.mark.parametrize("name", ["words", "details", "details without a body", "metadata"])
def test_a_servers_metadata_are_those_that_grpc_reports_and_no_others(name: str) -> None:
    """What HTTP/2 and gRPC themselves need is not the caller's."""
    with scripted_server(TOLD[name]) as server, connections_to(server) as connections:
        found, expected = error_of(connections), _error_of_grpc(server.target)
    assert list(found.trailing_metadata()) == _metadata(expected)


@pytest.mark.parametrize("answer", CONCLUDED.values(), ids=CONCLUDED.keys())
def test_an_end_that_the_server_does_not_explain_has_grpcs_status(answer: Answer) -> None:
    with scripted_server(answer) as server, connections_to(server) as connections:
        found, expected = error_of(connections), _error_of_grpc(server.target)
    assert found.code() is expected.code()


def _no_room_for(milliseconds: int) -> status_pb2.Status:
    """Return the status of a server that says when to try again."""
    status = status_pb2.Status(code=8, message="no room")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(milliseconds)
    status.details.add().Pack(retry)
    return status


def _written(status: status_pb2.Status) -> str:
    return base64.b64encode(status.SerializeToString()).decode().rstrip("=")


def test_details_are_read_as_those_of_any_call() -> None:
    status = _no_room_for(1500)
    answer = _only(*NO_ROOM, ("grpc-status-details-bin", _written(status)))
    with scripted_server(answer) as server, connections_to(server) as connections:
        # It is a call's error.
        assert rpc_status.from_call(error_of(connections)) == status  # type: ignore[arg-type]
        with (
            sb.connect(server.target, patience_seconds=0) as client,
            pytest.raises(sb.OverloadedError, match=r"again in 1\.5 s") as caught,
        ):
            client.sample(sb.TensorSpec("w", (3,), "float32", sb.Zeros()))
    assert caught.value.retry_after_seconds == 1.5


@pytest.mark.parametrize("written", ["AAE", "*", "A", "====", "é", "////"])
def test_details_that_make_no_sense_hide_no_status(written: str) -> None:
    answer = _only(*NO_ROOM, ("grpc-status-details-bin", written))
    with scripted_server(answer) as server, connections_to(server) as connections:
        error = error_of(connections)
        assert (error.code(), error.details()) == (Code.RESOURCE_EXHAUSTED, "no room")
        with (
            sb.connect(server.target, patience_seconds=0) as client,
            pytest.raises(sb.OverloadedError),
        ):
            client.sample(sb.TensorSpec("w", (3,), "float32", sb.Zeros()))


# Where grpcio is more lenient than its protocol allows, goes on without saying so, or differs from
# release to release.

DISTRUSTED: dict[str, tuple[Answer, grpc.StatusCode]] = {
    "a good end inside a message": (
        _cut_off(prefixed(b"abc")[:-1], ("grpc-status", "0")),
        Code.INTERNAL,
    ),
    "a good end inside a prefix": (_cut_off(b"\0\0\0", ("grpc-status", "0")), Code.INTERNAL),
    "a compressed message": (
        _cut_off(b"\1" + prefixed(b"a")[1:], ("grpc-status", "0")),
        Code.INTERNAL,
    ),
    "a flag that nobody knows": (
        _cut_off(b"\2" + prefixed(b"a")[1:], ("grpc-status", "0")),
        Code.INTERNAL,
    ),
    "a status that is no number": (_trailers(("grpc-status", "fine")), Code.UNKNOWN),
    "no content type": (
        lambda exchange: exchange.start([(":status", "200")], end=True),
        Code.UNKNOWN,
    ),
}


@pytest.mark.parametrize(("answer", "code"), DISTRUSTED.values(), ids=DISTRUSTED.keys())
def test_an_answer_that_grpcs_protocol_does_not_allow_is_refused(
    answer: Answer, code: grpc.StatusCode
) -> None:
    with scripted_server(answer) as server, connections_to(server) as connections:
        assert error_of(connections).code() is code


BROKEN_OFF: dict[str, Answer] = {
    "no trailers": CONCLUDED["no trailers"],
    "no trailers after an empty frame": CONCLUDED["no trailers after an empty frame"],
    "no trailers inside a message": _cut_off(prefixed(b"abc")[:-1]),
    "trailers without a status": CONCLUDED["trailers without a status"],
    "headers alone, without a status": CONCLUDED["headers alone, without a status"],
}


class _Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("options", [{}, {"grpc.enable_retries": 0}], ids=["ours", "grpc"])
@pytest.mark.parametrize("answer", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_a_stream_without_a_status_is_a_broken_one(
    answer: Answer, options: dict[str, int | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a proxy ends it whose server was killed: another try may end well."""
    clock = _Clock()
    for module in (tries, deadlines):
        monkeypatch.setattr(module, "time", clock)

    def late(exchange: Exchange) -> None:
        clock.now += 50
        answer(exchange)

    spec = sb.TensorSpec("w", (3,), "float32", sb.Zeros())
    with (
        scripted_server(late) as server,
        sb.connect(server.target, options=options, patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError, match="broke off the call") as caught,
    ):
        client.sample(spec, timeout_seconds=120)
    assert str(caught.value).count("(tried 3 times") == 1


def test_a_call_whose_stream_ends_without_a_status_is_tried_again() -> None:
    broken = BROKEN_OFF["no trailers after an empty frame"]
    # It is not waited for, as that would take longer than patience.
    refused = _only(*NO_ROOM, ("grpc-status-details-bin", _written(_no_room_for(600_000))))
    spec = sb.TensorSpec("w", (2**20,), "float32", sb.Zeros())
    with (
        scripted_server(broken, broken, broken, refused) as server,
        sb.connect(server.target, patience_seconds=60) as client,
        pytest.raises(sb.OverloadedError),
    ):
        client.sample(spec)
    assert len(server.exchanges) == 4


@pytest.mark.parametrize("size", [2**22 + 1, 2**32 - 1])
def test_a_message_larger_than_4_mib_is_refused_before_it_is_there(size: int) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.start(OK_HEADERS)
        exchange.data(b"\0" + size.to_bytes(4, "big") + bytes(100))
        exchange.hold()

    with scripted_server(answer) as server, connections_to(server) as connections:
        error = error_of(connections)
    assert error.code() is Code.RESOURCE_EXHAUSTED
    assert error.details() == f"CLIENT: Received message larger than max ({size} vs. {2**22})"


@pytest.mark.parametrize("answer", [*TOLD.values(), *CONCLUDED.values()], ids=[*TOLD, *CONCLUDED])
def test_a_bad_end_is_not_that_of_the_next_call(answer: Answer) -> None:
    """Nothing of an answer is left on a connection that is used again."""
    with (
        scripted_server(answer, lambda exchange: exchange.answer(b"next")) as server,
        connections_to(server) as connections,
    ):
        error_of(connections)
        assert messages_of(connections) == [b"next"]
