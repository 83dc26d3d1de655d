"""Servers that are killed, drained and started again in turn, under load: no call fails."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.contents import Contents
from tests.faults.haproxy import haproxy
from tests.faults.load import load
from tests.faults.replicas import Replica
from tests.soak import IS_SOAK, scaled

SLOWEST_SECONDS = 5.0


@contextmanager
def reached_by(way: str, servers: list[Replica], folder: Path) -> Iterator[list[str]]:
    """Yield the targets by which clients reach the servers."""
    match way:
        case "a list of targets":
            yield [server.address for server in servers]
        case "HAProxy by connections":
            with haproxy("tcp", servers, folder) as address:
                yield [address]
        case "HAProxy by streams":
            with haproxy("http", servers, folder) as address:
                yield [address]


@pytest.mark.parametrize(
    "way", ["a list of targets", "HAProxy by connections", "HAProxy by streams"]
)
def test_no_call_fails_while_servers_are_killed_and_started_again(
    way: str, servers: list[Replica], contents: Contents, tmp_path: Path
) -> None:
    end = time.monotonic() + scaled(8, full=60)
    with reached_by(way, servers, tmp_path) as targets, load(contents, targets) as outcomes:
        turns = zip(cycle(servers), cycle([signal.SIGKILL, signal.SIGTERM]), strict=False)
        for server, number in turns:
            server.stop(number)
            server.start()
            outcomes.counts[number.name] += 1
            if time.monotonic() > end and len(outcomes.counts) > 1:
                break
    print(f"{way}: {outcomes}")
    assert outcomes.failures == []
    if IS_SOAK:
        assert outcomes.slowest_seconds < SLOWEST_SECONDS
