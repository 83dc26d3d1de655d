"""Row 14: the SDK's fetch over TLS beside bare gRPC's, from the same server."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.checkouts import Checkouts
from benchmarks.result import OURS, Result
from benchmarks.rows.fetch import COLUMNS, ITEM_BYTES
from benchmarks.scale.measure import certificates
from benchmarks.servers import seedbed_server
from benchmarks.sizes import Sizes, size_text
from benchmarks.turns import Contest, missing

INITIALIZER = "GlorotUniform"
NEEDS = ("cryptography",)


def beside_grpc(sizes: Sizes, rounds: int, checkouts: Checkouts) -> Iterator[Result]:
    """Yield row 14: GlorotUniform into an array; all clients ask this checkout's server."""
    title = f"fetch {size_text(sizes.fetch_bytes)} {INITIALIZER} over TLS"
    if reason := missing(*NEEDS):
        unavailable = f"cryptography is {reason}"
        yield Result(14, title, "GB/s", higher_is_better=True, unavailable=unavailable)
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers, Contest() as contest:
        ca, arguments = certificates(Path(folder))
        shape = (sizes.fetch_bytes // ITEM_BYTES // COLUMNS, COLUMNS)
        of_all = {"ca": str(ca), "shape": shape, "initializer": INITIALIZER}
        addresses: dict[str, str] = {}
        for name, checkout in checkouts.items():
            server = servers.enter_context(seedbed_server(*arguments, checkout=checkout))
            addresses[name] = server.address
            client = {**of_all, "address": server.address, "has_array": True}
            contest.start(name, "seedbed_client", client, checkout=checkout)
        for name, is_tuned in (
            ("bare gRPC", False),
            ("bare gRPC, seedbed's channel settings", True),
        ):
            peer = {**of_all, "address": addresses[OURS], "is_tuned": is_tuned}
            contest.start(name, "bare_sample_client", peer)
        turns = contest.turns("fetch", rounds)
    yield Result(
        row=14,
        title=title,
        unit="GB/s",
        higher_is_better=True,
        samples=turns.rates(sizes.fetch_bytes / 1e9),
        absent=turns.absent,
    )
