"""Tokens and policies that change while a server runs."""

import threading
import time
from pathlib import Path

import grpc

from seedbed_server.watched_files import LOOK_SECONDS
from tests.raw_calls import (
    MIB,
    large_request,
    refusal,
    stub,
)
from tests.servers import serving
from tests.token_calls import (
    ask,
    bearer,
    files_in,
    is_known,
    reason_of,
    refused,
)
from tests.waiting import wait_until

CALLERS = 4


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
        wait_until(lambda: is_known(channel, new))
        assert not is_known(channel, old)
        assert next(under_way), "a call under way goes on"
        under_way.cancel()

        files.write("trainer sha256:wrong")
        server.wait_for("ERROR .*line 1.*what was read before stays in use")
        time.sleep(2 * LOOK_SECONDS)
        assert is_known(channel, new)
        assert server.log.count("ERROR") == 1

        files.write("")
        wait_until(lambda: not is_known(channel, new))


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

        wait_until(lambda: reason_of(channel, "SampleTensors", **viewer) == "OK")
        assert refused(channel, "GetServerInfo", **viewer).reason == "RPC_NOT_ALLOWED"


def test_tokens_are_rotated_under_load_without_a_failed_call(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    current = [files.tokens["trainer"]]
    used = [""] * CALLERS
    failures: list[str] = []
    count = [0]
    stopped = threading.Event()

    def call_again_and_again(address: str, place: int) -> None:
        with grpc.insecure_channel(address) as channel:
            while not stopped.is_set():
                token = used[place] = current[0]
                if token != current[0]:  # it was replaced before others could see that it is used
                    continue
                try:
                    ask(channel, "SampleSmallTensor", **bearer(token))
                    ask(channel, "SampleTensors", large_request(MIB), **bearer(token))
                except grpc.RpcError as error:
                    failures.append(refusal(error).reason)
                count[0] += 2

    with (
        serving(*files.arguments) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        threads = [
            threading.Thread(target=call_again_and_again, args=(server.address, place))
            for place in range(CALLERS)
        ]
        for each in threads:
            each.start()
        for turn in range(3):
            old = current[0]
            files.lines[f"old-{turn}"] = files.lines["trainer"]
            new = files.add("trainer", "trainer")
            files.write()  # both are known
            wait_until(lambda new=new: is_known(channel, new))  # type: ignore[misc]
            current[0] = new
            wait_until(lambda old=old: old not in used)  # type: ignore[misc]
            del files.lines[f"old-{turn}"]
            files.write()
            wait_until(lambda old=old: not is_known(channel, old))  # type: ignore[misc]
        stopped.set()
        for each in threads:
            each.join()
    assert failures == []
    assert count[0] > 20
