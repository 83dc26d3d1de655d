"""A server's end: what gRPC still does has time, also where the process was held up meanwhile."""

import asyncio
import time

import pytest

from seedbed_server.service import running


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
