"""A real server that asks who calls: refusals, and no secret told."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import seedbed as sb
from seedbed_server.security.tokens import token_digest
from tests.raw_calls import (
    SERVICE,
    health_stub,
    refusal,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess, server_process, serving
from tests.token_calls import REQUESTS, Files, ask, bearer, files_in, refused
from tests.waiting import LATE_SECONDS, wait_until


def reflect(channel: grpc.Channel, **options: Any) -> Any:
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    return next(reflection.ServerReflectionInfo(iter([request]), **options))


def is_logged(server: ServerProcess, *words: str) -> bool:
    """Return whether a line of the log has all the words."""
    return any(set(words) <= set(line.split()) for line in server.log.splitlines())


# Who calls.


@pytest.mark.parametrize("rpc", REQUESTS)
def test_every_method_asks_for_a_token(channel: grpc.Channel, files: Files, rpc: str) -> None:
    answer = refused(channel, rpc)
    assert (answer.code, answer.reason, answer.domain) == (
        "UNAUTHENTICATED",
        "TOKEN_MISSING",
        "seedbed",
    )
    assert "send `authorization: Bearer <token>` metadata" in answer.message
    assert ask(channel, rpc, **bearer(files.tokens["trainer"]))


WRONG: dict[str, tuple[Callable[[Files], dict[str, Any]], str]] = {
    "another token": (lambda files: bearer("sbt_wrong"), "TOKEN_UNKNOWN"),
    "a hash": (lambda files: bearer(token_digest(files.tokens["trainer"]).hex()), "TOKEN_UNKNOWN"),
    "a token and more": (lambda files: bearer(files.tokens["trainer"] + " x"), "TOKEN_UNKNOWN"),
    "an expired token": (lambda files: bearer(files.tokens["expired"]), "TOKEN_UNKNOWN"),
    "a long token": (lambda files: bearer("x" * 4000), "TOKEN_UNKNOWN"),
    "no token": (lambda files: bearer(""), "TOKEN_MISSING"),
    "another scheme": (lambda files: bearer(files.tokens["trainer"], "Basic"), "TOKEN_MISSING"),
    "another key": (
        lambda files: {"metadata": (("token", files.tokens["trainer"]),)},
        "TOKEN_MISSING",
    ),
}


@pytest.mark.parametrize(("options", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_token_is_refused(
    channel: grpc.Channel, files: Files, options: Callable[[Files], dict[str, Any]], reason: str
) -> None:
    answer = refused(channel, "SampleTensors", **options(files))
    assert (answer.code, answer.reason) == ("UNAUTHENTICATED", reason)


def test_the_scheme_is_a_word_of_any_case(channel: grpc.Channel, files: Files) -> None:
    for scheme in ("bearer", "BEARER"):
        assert ask(channel, "GetServerInfo", **bearer(files.tokens["trainer"], scheme))


def test_who_calls_is_asked_before_what(channel: grpc.Channel, files: Files) -> None:
    call: Any = channel.unary_unary(f"/{SERVICE}/GetServerInfo")
    for options, reason in (
        ({}, "TOKEN_MISSING"),
        (bearer(files.tokens["trainer"]), "INVALID_MESSAGE"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff", **options)
        assert refusal(caught.value).reason == reason
    unknown: Any = channel.unary_unary("/no.Such/Method")
    for options, code in (
        ({}, "UNAUTHENTICATED"),
        (bearer(files.tokens["viewer"]), "UNIMPLEMENTED"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            unknown(b"", **options)
        assert refusal(caught.value).code == code


def test_health_is_open_to_all(channel: grpc.Channel) -> None:
    request = health_pb2.HealthCheckRequest(service=SERVICE)
    assert health_stub(channel).Check(request).status == health_pb2.HealthCheckResponse.SERVING
    watch = health_stub(channel).Watch(request, timeout=30)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_reflection_is_closed_to_strangers(channel: grpc.Channel, files: Files) -> None:
    for options, code in (
        ({}, "UNAUTHENTICATED"),
        (bearer(files.tokens["stranger"]), "PERMISSION_DENIED"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            reflect(channel, **options)
        assert refusal(caught.value).code == code
    assert reflect(channel, **bearer(files.tokens["viewer"])).list_services_response.service


# What it may do.


@pytest.mark.parametrize("rpc", REQUESTS)
def test_a_rule_allows_its_methods_and_no_others(
    channel: grpc.Channel, files: Files, rpc: str
) -> None:
    viewer = bearer(files.tokens["viewer"])
    if rpc in {"GetServerInfo", "ListInitializers"}:
        assert ask(channel, rpc, **viewer)
        return
    answer = refused(channel, rpc, **viewer)
    assert (answer.code, answer.reason) == ("PERMISSION_DENIED", "RPC_NOT_ALLOWED")
    assert f"does not let viewer call {rpc}" in answer.message


def test_an_identity_without_a_rule_may_do_nothing(channel: grpc.Channel, files: Files) -> None:
    answer = refused(channel, "GetServerInfo", **bearer(files.tokens["stranger"]))
    assert (answer.code, answer.reason) == ("PERMISSION_DENIED", "UNKNOWN_IDENTITY")
    assert "is about stranger" in answer.message


def test_without_a_policy_whoever_is_known_may_do_everything(files: Files) -> None:
    with (
        serving("--tokens", str(files.folder / "tokens")) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        assert ask(channel, "SampleTensors", **bearer(files.tokens["stranger"]))
        assert refused(channel, "SampleTensors").reason == "TOKEN_MISSING"


# What is told.


def test_the_log_names_who_called(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    ask(channel, "ListInitializers", **bearer(files.tokens["team/a"]))
    wait_until(lambda: is_logged(server, "method=ListInitializers", "code=OK", "identity=team/a"))
    refused(channel, "DigestTensors", **bearer(files.tokens["viewer"]))
    wait_until(
        lambda: is_logged(
            server, "method=DigestTensors", "code=PERMISSION_DENIED", "identity=viewer"
        )
    )
    refused(channel, "DigestTensors")
    wait_until(lambda: is_logged(server, "method=DigestTensors", "code=UNAUTHENTICATED"))


def test_no_secret_is_in_the_log_the_metrics_or_an_error(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    told = []
    for name, token in files.tokens.items():
        for rpc in ("SampleTensors", "GetServerInfo"):
            try:
                ask(channel, rpc, **bearer(token))
            except grpc.RpcError as error:
                told.append(f"{error} {refusal(error)} {error.trailing_metadata()}")
        told.append(str(refused(channel, "GetServerInfo", **bearer(token[:-1]))))
        assert name in files.tokens
    server.wait_for_count("identity=quick", 2)
    everything = "\n".join([server.log, server.metrics, *told])
    assert "UNAUTHENTICATED" in everything
    for token in files.tokens.values():
        for secret in (token, token[:-1], token_digest(token).hex()):
            assert secret not in everything


def test_a_unix_socket_asks_for_tokens_as_well(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    folder = tmp_path / "memory"
    folder.mkdir()
    address = f"unix://{tmp_path}/s.sock"
    with (
        serving(*files.arguments, "--shared-memory-dir", str(folder), listen=address) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        assert refused(channel, "GetServerInfo").reason == "TOKEN_MISSING"
        request = sample_request(tensor((2**20,)), accepts_segments=True)
        call = stub(channel).SampleTensors(request, **bearer(files.tokens["trainer"]))
        assert next(call).parts[0].HasField("segment"), "it still is of this host"
        call.cancel()


def test_the_sdk_sends_its_token_and_says_why_it_is_refused(
    server: ServerProcess, files: Files
) -> None:
    spec = sb.TensorSpec("w", (4,), "float32", sb.Ones())
    with sb.connect(server.address, token=files.tokens["trainer"]) as client:
        assert client.sample(spec).tolist() == [1.0] * 4
    for name, kind, reason in (
        ("viewer", sb.PermissionDeniedError, "RPC_NOT_ALLOWED"),
        ("stranger", sb.PermissionDeniedError, "UNKNOWN_IDENTITY"),
        ("expired", sb.AuthenticationError, "TOKEN_UNKNOWN"),
    ):
        begun = time.monotonic()
        with (
            sb.connect(server.address, token=files.tokens[name]) as client,
            pytest.raises(kind) as caught,
        ):
            client.sample(spec)
        assert getattr(caught.value, "reason", "") == reason
        assert files.tokens[name] not in f"{caught.value!r} {client!r}"
        assert time.monotonic() - begun < LATE_SECONDS, "it is not tried again"


BAD_STARTS: dict[str, tuple[Callable[[Files], tuple[str, ...]], str]] = {
    "no such file": (lambda files: ("--tokens", "/none"), "cannot read /none: No such file"),
    "a policy alone": (lambda files: files.arguments[2:], "--policy needs --tokens"),
    "a wrong policy": (
        lambda files: (*files.arguments[:2], "--policy", str(files.folder / "tokens")),
        "is not YAML|must be a mapping",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), BAD_STARTS.values(), ids=BAD_STARTS)
def test_a_server_does_not_start_with_what_it_cannot_read(
    files: Files, arguments: Callable[[Files], tuple[str, ...]], said: str
) -> None:
    with server_process(*arguments(files)) as server:
        server.wait_for(f"ERROR .*({said})")
        assert server.wait() == 1
    assert "Traceback" not in server.log
