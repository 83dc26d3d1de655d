"""A real server that asks who calls: refusals, quotas, files that change, and no secret told."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

import seedbed as sb
from seedbed.v1 import service_pb2
from seedbed_server.security.tokens import new_token, token_digest
from seedbed_server.watched_files import LOOK_SECONDS
from tests.raw_calls import (
    MIB,
    NUMERICS,
    SERVICE,
    Refusal,
    health_stub,
    large_request,
    refusal,
    sample_request,
    stub,
    tensor,
)
from tests.servers import ServerProcess, server_process, serving

POLICY = """
identities:
  trainer: {}
  viewer: {rpcs: [GetServerInfo, ListInitializers]}
  "team/*": {}
  few: {quotas: {matrices: 1}}
  narrow: {quotas: {inflight_bytes: 64 MiB}}
  daily: {quotas: {bytes_per_day: 64 MiB}}
  quick: {quotas: {cost_seconds_per_request: 0.5}}
"""
# Some seconds of a core, and hardly any time.
LARGE, SMALL = (4096, 4096), (64, 64)


# Of a channel that holds little of what nobody reads.
UNREAD = [("grpc.http2.lookahead_bytes", 2**16), ("grpc.http2.bdp_probe", 0)]


@dataclass
class Files:
    """The files of a server, and the tokens that they stand for."""

    folder: Path
    tokens: dict[str, str] = field(default_factory=dict)
    lines: dict[str, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--tokens", str(self.folder / "tokens"), "--policy", str(self.folder / "policy"))

    def add(self, name: str, identity: str, until: str = "") -> str:
        """Make a token, which is known after :meth:`write`."""
        self.tokens[name], self.lines[name] = new_token(identity)
        self.lines[name] += until
        return self.tokens[name]

    def write(self, text: str | None = None) -> None:
        """Write the file of tokens, and put it in the place of the old one."""
        new = self.folder / "new"
        new.touch(0o600)
        new.write_text("\n".join(self.lines.values()) if text is None else text)
        new.replace(self.folder / "tokens")

    def write_policy(self, text: str) -> None:
        (self.folder / "policy").write_text(text)


def files_in(folder: Path) -> Files:
    found = Files(folder)
    for identity in ("trainer", "viewer", "team/a", "team/b", "few", "narrow", "daily", "quick"):
        found.add(identity, identity)
    found.add("stranger", "stranger")
    found.add("expired", "trainer", " until=2026-01-01T00:00:00Z")
    found.write()
    found.write_policy(POLICY)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_in(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def server(files: Files) -> Iterator[ServerProcess]:
    arguments = ("--max-concurrent-streams", "16", "--admin-listen", "127.0.0.1:0")
    with serving(*files.arguments, *arguments) as process:
        yield process


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def bearer(token: str, scheme: str = "Bearer") -> dict[str, Any]:
    return {"metadata": (("authorization", f"{scheme} {token}"),)}


WEIGHT = tensor()
LISTS: dict[str, Any] = {"tensors": [WEIGHT], "numerics": NUMERICS}
REQUESTS: dict[str, Any] = {
    "GetServerInfo": service_pb2.GetServerInfoRequest(),
    "ListInitializers": service_pb2.ListInitializersRequest(),
    "DescribeTensors": service_pb2.DescribeTensorsRequest(**LISTS),
    "DigestTensors": service_pb2.DigestTensorsRequest(**LISTS),
    "SampleTensors": service_pb2.SampleTensorsRequest(**LISTS),
    "SampleSmallTensor": service_pb2.SampleSmallTensorRequest(tensor=WEIGHT, numerics=NUMERICS),
}


def ask(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> list[Any]:
    """Return the answers of a call; raise what it ends with."""
    answer = getattr(stub(channel), rpc)(request or REQUESTS[rpc], timeout=60, **options)
    return list(answer) if hasattr(answer, "__next__") else [answer]


def refused(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> Refusal:
    with pytest.raises(grpc.RpcError) as caught:
        ask(channel, rpc, request, **options)
    return refusal(caught.value)


def reason_of(channel: grpc.Channel, rpc: str, request: Any = None, **options: Any) -> str:
    """Return why a call is refused; OK if it is not."""
    try:
        ask(channel, rpc, request, **options)
    except grpc.RpcError as error:
        return refusal(error).reason
    return "OK"


def reflect(channel: grpc.Channel, **options: Any) -> Any:
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    return next(reflection.ServerReflectionInfo(iter([request]), **options))


def until(is_so: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_logged(server: ServerProcess, *words: str) -> bool:
    """Return whether a line of the log has all the words."""
    return any(set(words) <= set(line.split()) for line in server.log.splitlines())


def is_known(channel: grpc.Channel, token: str) -> bool:
    return reason_of(channel, "GetServerInfo", **bearer(token)) != "TOKEN_UNKNOWN"


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


# Quotas.


def matrix(shape: tuple[int, int], seed: int = 1) -> service_pb2.SampleTensorsRequest:
    return sample_request(tensor(shape, "orthogonal", seed=seed))


def test_matrices_are_counted_and_given_back(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    few = bearer(files.tokens["few"])
    call = stub(channel).SampleTensors(matrix(LARGE), **few)
    until(lambda: server.metric("seedbed_held", resource="working_bytes") > MIB)
    answer = refused(channel, "SampleTensors", matrix(SMALL, 2), **few)
    assert (answer.code, answer.reason, answer.quota) == (
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "matrices",
    )
    assert answer.retry_seconds is not None
    small = service_pb2.SampleSmallTensorRequest(
        tensor=tensor(SMALL, "orthogonal", seed=3), numerics=NUMERICS
    )
    assert refused(channel, "SampleSmallTensor", small, **few).quota == "matrices"
    assert ask(channel, "SampleTensors", **few), "what is not computed whole is no matrix"
    assert ask(channel, "SampleTensors", matrix(SMALL, 2), **bearer(files.tokens["trainer"]))
    call.cancel()
    until(lambda: server.metric("seedbed_held", resource="working_bytes") == 0)
    assert ask(channel, "SampleTensors", matrix(SMALL, 2), **few)


def test_bytes_in_flight_are_counted_and_given_back(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    narrow, half = bearer(files.tokens["narrow"]), (512, 512)
    never = refused(channel, "SampleTensors", matrix(LARGE), **narrow)
    assert (never.code, never.reason, never.limit) == (
        "INVALID_ARGUMENT",
        "OVER_LIMIT",
        "max_working_bytes",
    )
    info = ask(channel, "GetServerInfo", **narrow)[0]
    assert info.limits.max_working_bytes == 64 * MIB
    with ExitStack() as stack:
        unread = stack.enter_context(grpc.insecure_channel(server.address, options=UNREAD))
        for seed in range(2):  # of some 26 MiB each
            request = matrix(half, seed)
            call = stub(unread).SampleTensors(request, **narrow)
            stack.callback(call.cancel)
            next(call)
        answer = refused(channel, "SampleTensors", matrix(half, 9), **narrow)
        assert (answer.code, answer.reason, answer.quota) == (
            "RESOURCE_EXHAUSTED",
            "QUOTA_EXCEEDED",
            "inflight_bytes",
        )
        assert answer.retry_seconds is not None
        assert ask(channel, "SampleTensors", **narrow), "small tensors need no room"
    until(lambda: server.metric("seedbed_held", resource="inflight_bytes") == 0)
    until(lambda: server.metric("seedbed_held", resource="working_bytes") == 0)
    assert ask(channel, "SampleTensors", matrix(half, 9), **narrow)


def test_bytes_are_counted_by_the_day(channel: grpc.Channel, files: Files) -> None:
    daily = bearer(files.tokens["daily"])
    never = refused(channel, "SampleTensors", large_request(65 * MIB), **daily)
    assert (never.code, never.reason) == ("INVALID_ARGUMENT", "OVER_LIMIT")
    assert f"{64 * MIB} bytes in all (bytes_per_day)" in never.message

    # Of a stream that is cancelled, what was sent counts: a few chunks that nobody may have read.
    cancelled = stub(channel).SampleTensors(large_request(64 * MIB), **daily)
    next(cancelled)
    cancelled.cancel()
    time.sleep(0.5)
    assert ask(channel, "SampleTensors", large_request(32 * MIB), **daily)
    answer = refused(channel, "SampleTensors", large_request(32 * MIB), **daily)
    assert (answer.code, answer.reason, answer.quota) == (
        "RESOURCE_EXHAUSTED",
        "QUOTA_EXCEEDED",
        "bytes_per_day",
    )
    assert answer.retry_seconds is not None
    assert 0 < answer.retry_seconds <= 86_400
    # Digests send no tensor.
    digests = service_pb2.DigestTensorsRequest(
        tensors=large_request(16 * MIB).tensors, numerics=NUMERICS
    )
    assert ask(channel, "DigestTensors", digests, **daily)
    while reason_of(channel, "SampleTensors", large_request(4 * MIB), **daily) == "OK":
        pass
    small = service_pb2.SampleSmallTensorRequest(tensor=tensor((2**14,)), numerics=NUMERICS)
    reasons = [reason_of(channel, "SampleSmallTensor", small, **daily) for _ in range(64)]
    assert reasons[-1] == "QUOTA_EXCEEDED", "less than 4 MiB were left"


def test_a_costly_request_is_refused_for_good(channel: grpc.Channel, files: Files) -> None:
    quick = bearer(files.tokens["quick"])
    answer = refused(channel, "SampleTensors", matrix(LARGE), **quick)
    assert (answer.code, answer.reason, answer.limit) == (
        "INVALID_ARGUMENT",
        "OVER_LIMIT",
        "max_request_cost_seconds",
    )
    assert ask(channel, "GetServerInfo", **quick)[0].limits.max_request_cost_seconds == 0.5
    assert ask(channel, "SampleTensors", matrix(SMALL), **quick)


def test_shares_are_by_identity_behind_one_address(channel: grpc.Channel, files: Files) -> None:
    greedy, good = bearer(files.tokens["team/a"]), bearer(files.tokens["team/b"])
    with ExitStack() as stack:
        for _ in range(8):
            call = stub(channel).SampleTensors(large_request(2**36), **greedy)
            stack.callback(call.cancel)
            next(call)
        assert refused(channel, "SampleTensors", large_request(2**20), **greedy).reason == (
            "TOO_MANY_STREAMS"
        )
        for _ in range(4):
            call = stub(channel).SampleTensors(large_request(2**36), **good)
            stack.callback(call.cancel)
            next(call)


# Files that change.


def test_tokens_come_and_go_with_the_file(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with (
        serving(*files.arguments) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        old = files.tokens["trainer"]
        under_way = stub(channel).SampleTensors(large_request(2**36), **bearer(old))
        next(under_way)
        new = files.add("trainer", "trainer")
        files.write()
        until(lambda: is_known(channel, new))
        assert not is_known(channel, old)
        assert next(under_way), "a call under way goes on"
        under_way.cancel()

        files.write("trainer sha256:wrong")
        server.wait_for("ERROR .*line 1.*what was read before stays in use")
        time.sleep(2 * LOOK_SECONDS)
        assert is_known(channel, new)
        assert server.log.count("ERROR") == 1

        files.write("")
        until(lambda: not is_known(channel, new))


def test_a_policy_that_changes_counts_at_the_next_call(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with (
        serving(*files.arguments) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        viewer = bearer(files.tokens["viewer"])
        assert refused(channel, "SampleTensors", **viewer).reason == "RPC_NOT_ALLOWED"
        files.write_policy("identities: {viewer: {rpcs: nothing}}")
        time.sleep(2 * LOOK_SECONDS)
        assert refused(channel, "SampleTensors", **viewer).reason == "RPC_NOT_ALLOWED"
        assert "identities.viewer.rpcs" in server.wait_for("ERROR .*")
        files.write_policy("identities: {viewer: {rpcs: [SampleTensors]}}")

        until(lambda: reason_of(channel, "SampleTensors", **viewer) == "OK")
        assert refused(channel, "GetServerInfo", **viewer).reason == "RPC_NOT_ALLOWED"


def test_tokens_are_rotated_under_load_without_a_failed_call(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    current = [files.tokens["trainer"]]
    failures: list[str] = []
    count = [0]
    stopped = threading.Event()

    def call_again_and_again(address: str) -> None:
        with grpc.insecure_channel(address) as channel:
            while not stopped.is_set():
                try:
                    ask(channel, "SampleSmallTensor", **bearer(current[0]))
                    ask(channel, "SampleTensors", large_request(MIB), **bearer(current[0]))
                except grpc.RpcError as error:
                    failures.append(refusal(error).reason)
                count[0] += 2

    with (
        serving(*files.arguments) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        threads = [
            threading.Thread(target=call_again_and_again, args=(server.address,)) for _ in range(4)
        ]
        for each in threads:
            each.start()
        for turn in range(3):
            old = current[0]
            files.lines[f"old-{turn}"] = files.lines["trainer"]
            new = files.add("trainer", "trainer")
            files.write()  # both are known
            until(lambda new=new: is_known(channel, new))  # type: ignore[misc]
            current[0] = new
            time.sleep(0.5)  # calls with the old one end
            del files.lines[f"old-{turn}"]
            files.write()
            until(lambda old=old: not is_known(channel, old))  # type: ignore[misc]
        stopped.set()
        for each in threads:
            each.join()
    assert failures == []
    assert count[0] > 20


# What is told.


def test_the_log_names_who_called(
    server: ServerProcess, channel: grpc.Channel, files: Files
) -> None:
    ask(channel, "ListInitializers", **bearer(files.tokens["team/a"]))
    until(lambda: is_logged(server, "method=ListInitializers", "code=OK", "identity=team/a"))
    refused(channel, "DigestTensors", **bearer(files.tokens["viewer"]))
    until(
        lambda: is_logged(
            server, "method=DigestTensors", "code=PERMISSION_DENIED", "identity=viewer"
        )
    )
    refused(channel, "DigestTensors")
    until(lambda: is_logged(server, "method=DigestTensors", "code=UNAUTHENTICATED"))


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
        assert time.monotonic() - begun < 10, "it is not tried again"


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
