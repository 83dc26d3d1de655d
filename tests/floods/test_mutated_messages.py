"""Damaged requests of all methods meet refusals, never a fault of the server."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import grpc

from tests.floods.bystander import good_client
from tests.floods.connection import Answer, Connection, connect
from tests.floods.mutations import mutated
from tests.servers import ServerProcess
from tests.soak import scaled

MESSAGES = scaled(4000, full=100_000)
CONNECTIONS = 4
AT_ONCE = 8
# A damaged request may well ask for a terabyte, or to watch: it is reset then.
ANSWER_SECONDS = 2.0
NAMES = {str(code.value[0]): code.name for code in grpc.StatusCode}


async def _send(connection: Connection, seeds: Iterator[int], ends: list[tuple[int, str]]) -> None:
    """Send the messages of seeds until there are no more; add how each ended."""
    for seed in seeds:
        name, data = mutated(seed)
        stream = connection.open_call(name, data)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                end = _end_of(await connection.ended(stream))
        except TimeoutError:
            connection.reset(stream)
            end = "reset by the client"
        ends.append((seed, end))


def _end_of(answer: Answer) -> str:
    if answer.ended is None:
        return "the connection was lost"
    if answer.status is not None:
        return NAMES[answer.status]
    return "reset by the client" if answer.reset_code == 8 else f"reset: {answer.reset_code}"


async def _send_all(address: str) -> list[tuple[int, str]]:
    """Send all messages; return the seed of each and how it ended."""
    seeds = iter(range(MESSAGES))
    ends: list[tuple[int, str]] = []

    async def over_one_connection() -> None:
        async with connect(address) as connection:
            await asyncio.gather(*(_send(connection, seeds, ends) for _ in range(AT_ONCE)))

    await asyncio.gather(*(over_one_connection() for _ in range(CONNECTIONS)))
    return ends


def test_damaged_requests_are_refused_beside_a_client_that_never_fails(
    server: ServerProcess,
) -> None:
    with good_client(server.address) as good:
        ends = asyncio.run(_send_all(server.address))
        report = good.report()
    counts = Counter(end for _, end in ends)
    print(f"{len(ends)} damaged messages: {dict(counts)}; beside them: {report}")
    assert len(ends) == MESSAGES
    # The server's own faults, and gRPC's words for an exception in a handler.
    faults = [(seed, end) for seed, end in ends if end in {"INTERNAL", "UNKNOWN"} or "lost" in end]
    assert not faults, [(mutated(seed), end) for seed, end in faults[:5]]
    assert "Traceback" not in server.log
    assert not report.failed, report.failures
    # Some were refused and some not: the damage reaches past the parser.
    assert counts["INVALID_ARGUMENT"] > MESSAGES // 10
    assert counts["OK"] > MESSAGES // 100
