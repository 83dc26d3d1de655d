"""A server's end: what gRPC still does has time, also where the process was held up meanwhile."""

import asyncio
import time
from collections.abc import Callable

import pytest

from seedbed_server.service import running
from seedbed_server.settings import Settings
from seedbed_server.stopping import StopRequest


def test_what_ends_by_itself_is_not_cut_off_after_a_moment_without_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "SETTLE_SECONDS", 0.5)
    ended = []

    async def end_late() -> None:
        time.sleep(0.6)  # nothing of the process runs, nor does its loop
        for _ in range(10):
            await asyncio.sleep(0)
        ended.append("by itself")

    async def serve() -> int:
        tasks.append(asyncio.create_task(end_late()))
        return 0

    tasks: list[asyncio.Task[None]] = []
    assert asyncio.run(running._settled(serve())) == 0
    assert ended == ["by itself"]


def test_a_server_that_fails_while_it_compiles_does_not_say_later_that_it_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    class FailingServer:
        admin_address = None

        def __init__(self, settings: Settings, on_failure: Callable[[BaseException], None]) -> None:
            del settings
            self._fail = on_failure
            self._compiled = asyncio.Event()

        async def listen(self) -> list[str]:
            self._fail(RuntimeError("gRPC has ended"))
            return ["127.0.0.1:1"]

        async def serve(self) -> None:
            await self._compiled.wait()
            said.append("serving")

        async def stop(self) -> None:
            said.append("stopped")
            self._compiled.set()

    monkeypatch.setattr(running, "Server", FailingServer)
    assert running.serve(Settings(), StopRequest()) == 1
    assert said == ["stopped"]
