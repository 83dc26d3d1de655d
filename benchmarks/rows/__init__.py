"""The table's rows: a module for each kind of benchmark, with the bars that it has to reach."""

from collections.abc import Callable, Iterator

from benchmarks.checkouts import Checkouts
from benchmarks.result import Result
from benchmarks.rows import fetch, latency, memory, model, orthogonal, sampling, start, tls, workers
from benchmarks.sizes import Sizes

ROWS: dict[int, Callable[[Sizes, int, Checkouts], Iterator[Result]]] = {
    1: sampling.beside_peers,
    2: sampling.scaling,
    3: fetch.beside_flight,
    4: fetch.beside_bare_stream,
    5: fetch.beside_keras,
    6: fetch.by_shared_memory,
    7: model.all_at_once,
    8: latency.of_one_tensor,
    9: orthogonal.beside_peers,
    10: memory.while_streaming,
    11: start.until_serving,
    12: workers.two_beside_one,
    13: fetch.by_asyncio,
    14: tls.beside_grpc,
}
"""What measures each row; takes the sizes, the number of rounds and the checkouts."""
