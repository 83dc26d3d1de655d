"""The proxy does what is planned, at the byte and to the bit, and the same each time."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from tests.faults import plans
from tests.faults.plans import Plan, Schedule, always, in_turn
from tests.faults.proxy import faulty_proxy
from tests.waiting import wait_until

DATA = Random(1).randbytes(100_000)


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The address of a server that sends back what it gets."""

    def answer(connected: socket.socket) -> None:
        with connected, suppress(OSError):  # the proxy is rude
            while data := connected.recv(65_536):
                connected.sendall(data)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is shut
            while True:
                connected, _ = listener.accept()
                threading.Thread(target=answer, args=(connected,)).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,))
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def echoed(target: str, data: bytes = DATA, seconds: float = 60.0, least_bytes: int = 0) -> bytes:
    """Return what comes back of some bytes until the connection ends, or nothing more comes.

    Args:
        target: where the proxy listens.
        data: what is sent.
        seconds: how long to wait for more than the least.
        least_bytes: how much comes, however late.
    """
    found = b""
    with socket.socket(socket.AF_UNIX if target.startswith("unix:") else socket.AF_INET) as client:
        if target.startswith("unix:"):
            client.connect(target.removeprefix("unix:"))
        else:
            host, _, port = target.rpartition(":")
            client.connect((host, int(port)))
        client.settimeout(60.0 if least_bytes else seconds)
        with suppress(OSError):
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        with suppress(OSError):  # also where the proxy was quicker than the last bytes
            while block := client.recv(65_536):
                found += block
                client.settimeout(seconds if len(found) >= least_bytes else 60.0)
    return found


@pytest.mark.parametrize("to_server", [False, True], ids=["answers", "requests"])
def test_faults_happen_at_their_byte(echo: str, to_server: bool) -> None:
    def found(plan: Plan, seconds: float = 60.0, least_bytes: int = 0) -> bytes:
        with faulty_proxy(echo, always(plan)) as proxy:
            data = echoed(proxy.target, seconds=seconds, least_bytes=least_bytes)
            wait_until(lambda: proxy.counts == {"connections": 1, plan.kind: 1})
            return data

    flipped = bytearray(DATA)
    flipped[70_000] ^= 8
    assert found(Plan("flip", byte=70_000, bit=3, to_server=to_server)) == flipped
    for kind in ("cut", "half-close", "stall"):
        seconds = 2.0 if kind == "stall" else 60.0
        least_bytes = 0 if to_server else 70_000
        data = found(Plan(kind, byte=70_000, to_server=to_server), seconds, least_bytes)
        assert DATA.startswith(data)
        # What an echo still had on its way when its connection ended is lost as well.
        assert len(data) <= 70_000 if to_server else len(data) == 70_000


def test_delays_and_trickles_lose_nothing(echo: str) -> None:
    for plan in (
        Plan("delay", byte=70_000, seconds=0.3),
        Plan("trickle", bytes_per_second=300_000),
    ):
        with faulty_proxy(echo, always(plan)) as proxy:
            began = time.monotonic()
            assert echoed(proxy.target) == DATA
            assert time.monotonic() - began > 0.29


def test_connections_may_be_refused_or_get_nothing(echo: str, tmp_path: Path) -> None:
    schedule = in_turn(Plan("refuse"), Plan("silence"), Plan())
    with faulty_proxy(echo, schedule, path=tmp_path / "socket") as proxy:
        assert echoed(proxy.target) == b""
        assert echoed(proxy.target, seconds=0.3) == b""
        assert echoed(proxy.target) == DATA
        assert proxy.counts == {"connections": 3, "refuse": 1, "silence": 1}
        assert proxy.bytes_to_client == proxy.bytes_to_server == len(DATA)


def test_the_same_seed_draws_the_same_faults(echo: str) -> None:
    def found(seed: int, schedule: Schedule) -> list[int]:
        with faulty_proxy(echo, schedule, seed=seed) as proxy:
            return [len(echoed(proxy.target)) for _ in range(5)]

    def early_cuts(random: Random) -> Plan:
        return Plan("cut", byte=random.randrange(len(DATA)))

    assert found(1, early_cuts) == found(1, early_cuts)
    assert found(1, early_cuts) != found(2, early_cuts)
    drawn = [plans.cuts(Random(f"1/{number}")) for number in range(1000)]
    assert {plan.to_server for plan in drawn} == {False, True}
    assert max(plan.byte for plan in drawn) > 15 * plans.MIB
    assert min(plan.byte for plan in drawn) < 100
