"""Rows 3 to 6 and 13: fetches from a local server, sampling included.

The peers send ready bytes, or sample in the client's own process. Server and client are processes
of their own.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.checkouts import Checkouts
from benchmarks.folders import FolderError, huge_page_folder, shared_folder, socket_folder
from benchmarks.result import OURS, Result
from benchmarks.rows.contests import contest_of
from benchmarks.servers import Server, peer_server, seedbed_server
from benchmarks.sizes import Sizes, size_text
from benchmarks.turns import Contest, Turns, missing

FLIGHT_BAR = 1.0
BARE_BAR = 0.9
KERAS_BAR = 2.0
SHARED_MEMORY_BAR = 3.0

FLIGHT = "Arrow Flight"
FLIGHT_BATCHES = "Arrow Flight, batches as they come"
FLIGHT_NEEDS = ("pyarrow",)
KERAS_NEEDS = ("keras", "tensorflow")
# What a folder in shared memory holds besides the tensors.
MARGIN_BYTES = 2**26

COLUMNS = 1024
ITEM_BYTES = 4
# What Keras may use. Nothing else runs at the same time.
THREADS = 2


def beside_flight(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 3: GlorotUniform into an array, beside Arrow Flight with a ready buffer."""
    with (
        contest_of(checkouts, "seedbed_client", _fetch(sizes)) as contest,
        _flight_server(sizes, "grpc://127.0.0.1:0") as flight,
    ):
        contest.start(
            FLIGHT,
            "flight_client",
            _flight_client(sizes, flight, into_array=True),
            needs=FLIGHT_NEEDS,
        )
        turns = contest.turns("fetch", rounds)
    yield _result(3, "GlorotUniform over TCP", sizes, turns, bar=FLIGHT_BAR)


def beside_bare_stream(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 4: the same beside a bare gRPC stream of ready bytes, in messages as large."""
    stream = {"total_bytes": sizes.fetch_bytes, "message_bytes": sizes.message_bytes}
    with (
        contest_of(checkouts, "seedbed_client", _fetch(sizes)) as contest,
        peer_server("bare_server", **stream) as bare,
    ):
        for name, is_tuned in (
            ("bare gRPC", False),
            ("bare gRPC, seedbed's channel settings", True),
        ):
            settings = {
                "address": bare.address,
                "total_bytes": sizes.fetch_bytes,
                "is_tuned": is_tuned,
            }
            contest.start(name, "bare_client", settings)
        turns = contest.turns("fetch", rounds)
    yield _result(4, "GlorotUniform over TCP", sizes, turns, bar=BARE_BAR)


def beside_keras(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 5: GlorotNormal into an array, beside Keras sampling it in its own process."""
    with contest_of(checkouts, "seedbed_client", _fetch(sizes, "GlorotNormal")) as contest:
        keras = {"threads": THREADS, "shape": _shape(sizes)}
        contest.start(
            "Keras on TensorFlow, local", "keras_local", keras, needs=KERAS_NEEDS, threads=THREADS
        )
        turns = contest.turns("fetch", rounds)
    yield _result(5, "GlorotNormal over TCP", sizes, turns, bar=KERAS_BAR)


def by_asyncio(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 13: the asyncio client, beside a bare stream of ready bytes on asyncio."""
    stream = {"total_bytes": sizes.fetch_bytes, "message_bytes": sizes.message_bytes}
    with (
        contest_of(checkouts, "seedbed_aio", {"shape": _shape(sizes)}) as contest,
        peer_server("bare_server", **stream) as bare,
    ):
        settings = {"address": bare.address, "total_bytes": sizes.fetch_bytes}
        contest.start("bare gRPC on asyncio", "bare_aio", settings)
        turns = contest.turns("fetch", rounds)
    yield _result(13, "GlorotUniform over TCP, asyncio", sizes, turns, bar=BARE_BAR)


def by_shared_memory(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 6: the server's shared memory, beside Arrow Flight over its Unix socket.

    Once in a folder of the system's, and once in one of large pages, which an operator may mount
    for it.
    """
    title = "GlorotUniform by shared memory"
    with shared_folder() as shared:
        yield _beside_flight_on_this_host(title, sizes, rounds, checkouts, shared)
    title = f"{title} in huge pages"
    try:
        needed_bytes = len(checkouts) * 4 * sizes.fetch_bytes + MARGIN_BYTES
        with huge_page_folder(needed_bytes) as shared:
            yield _beside_flight_on_this_host(title, sizes, rounds, checkouts, shared)
    except FolderError as error:
        reason = f"not available: {error}"
        yield Result(
            6,
            _title(title, sizes),
            "GB/s",
            higher_is_better=True,
            bar=SHARED_MEMORY_BAR,
            unavailable=reason,
        )


def _beside_flight_on_this_host(
    title: str, sizes: Sizes, rounds: int, checkouts: Checkouts, shared: Path
) -> Result:
    with (
        ExitStack() as servers,
        socket_folder() as sockets,
        _flight_server(sizes, f"grpc+unix://{sockets}/flight.sock") as flight,
        Contest() as contest,
    ):
        for number, (name, checkout) in enumerate(checkouts.items()):
            own = shared / str(number)
            own.mkdir()
            server = servers.enter_context(
                seedbed_server(
                    "--shared-memory-dir",
                    str(own),
                    listen=f"unix://{sockets}/seedbed{number}.sock",
                    checkout=checkout,
                )
            )
            client = {"address": server.address, "shape": _shape(sizes)}
            contest.start(name, "seedbed_client", client, checkout=checkout)
        for name, into_array in ((FLIGHT, True), (FLIGHT_BATCHES, False)):
            contest.start(
                name,
                "flight_client",
                _flight_client(sizes, flight, into_array=into_array),
                needs=FLIGHT_NEEDS,
            )
        turns = contest.turns("fetch", rounds)
    is_mapped = all(figures["is_mapped"] for figures in turns.figures[OURS])
    note = "" if is_mapped else "the client's array is memory of its own, not the server's"
    return _result(6, title, sizes, turns, bar=SHARED_MEMORY_BAR, note=note)


def _title(title: str, sizes: Sizes) -> str:
    return f"fetch {size_text(sizes.fetch_bytes)} {title}"


def _shape(sizes: Sizes) -> tuple[int, int]:
    return sizes.fetch_bytes // ITEM_BYTES // COLUMNS, COLUMNS


def _fetch(sizes: Sizes, initializer: str = "GlorotUniform") -> dict[str, Any]:
    return {"shape": _shape(sizes), "initializer": initializer, "has_array": True}


def _flight_server(sizes: Sizes, location: str) -> AbstractContextManager[Server | None]:
    if missing(*FLIGHT_NEEDS):
        return nullcontext()
    return peer_server("flight_server", total_bytes=sizes.fetch_bytes, location=location)


def _flight_client(sizes: Sizes, server: Server | None, *, into_array: bool) -> Mapping[str, Any]:
    return {
        "address": server.address if server else "",
        "total_bytes": sizes.fetch_bytes,
        "batch_bytes": sizes.flight_batch_bytes,
        "into_array": into_array,
    }


def _result(
    row: int, title: str, sizes: Sizes, turns: Turns, *, bar: float, note: str = ""
) -> Result:
    batches = [
        f"{name}: its best batch is {size_text(int(figures[0]['batch_bytes']))}"
        for name, figures in turns.figures.items()
        if "batch_bytes" in figures[0]
    ]
    return Result(
        row=row,
        title=_title(title, sizes),
        unit="GB/s",
        higher_is_better=True,
        samples=turns.rates(sizes.fetch_bytes / 1e9),
        absent=turns.absent,
        bar=bar,
        note="; ".join([*([note] if note else []), *batches]),
    )
