"""Row 10: how much a server grows while it streams a tensor that is far larger than it."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.checkouts import Checkouts
from benchmarks.result import Result
from benchmarks.servers import Server, seedbed_server
from benchmarks.sizes import MIB, Sizes, size_text
from benchmarks.worker import Worker

BAR_MIB = 128.0
DTYPE, ITEM_BYTES = "bfloat16", 2
LOOK_EVERY_SECONDS = 0.02
# A server that has just started gives back what it compiled with.
SETTLE_SECONDS = 1.0


def while_streaming(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 10: the largest growth over the idle size, one reader quick and one stalled."""
    del rounds  # a long stream, once: memory that leaks does so within it
    samples, notes = {}, []
    for name, checkout in checkouts.items():
        growth, note = _growth_mib(sizes, checkout)
        samples[name] = [growth]
        notes.append(f"{name} {note}")
    yield Result(
        row=10,
        title=f"server's growth while it streams {size_text(sizes.stream_bytes)}, a reader stalled",
        unit="MiB",
        higher_is_better=False,
        samples=samples,
        bar=BAR_MIB,
        bar_on="value",
        note="; ".join(notes),
    )


def _growth_mib(sizes: Sizes, checkout: Path) -> tuple[float, str]:
    """Return how much a server grows, and its idle size and speed as text."""
    with seedbed_server(checkout=checkout) as server:
        settings = {
            "address": server.address,
            "shape": (sizes.stream_bytes // ITEM_BYTES,),
            "dtype": DTYPE,
            "initializer": "RandomUniform",
        }
        with (
            Worker("seedbed_client", settings, checkout=checkout) as reader,
            Worker("seedbed_client", settings, checkout=checkout) as stalled,
        ):
            reader.actions()
            stalled.actions()
            time.sleep(SETTLE_SECONDS)
            idle = server.memory
            stalled.run("stall")
            largest, seconds = _largest_memory(server, reader)
    speed = sizes.stream_bytes / seconds / 1e9
    return (largest - idle) / MIB, f"idle: {idle / MIB:.0f} MiB; streamed at {speed:.2f} GB/s"


def _largest_memory(server: Server, reader: Worker) -> tuple[int, float]:
    """Return the server's largest size while a reader reads, and how long it read."""
    largest = server.memory
    reader.ask("drop")
    while not reader.is_done(LOOK_EVERY_SECONDS):
        largest = max(largest, server.memory)
    return max(largest, server.memory), reader.answer()["seconds"]
