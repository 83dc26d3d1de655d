"""How fast one process samples 256 MiB of float32, beside numpy, PyTorch and TensorFlow, in one run.

    python benchmarks/kernels.py [--mebibytes 256] [--rounds 5] [--peers numpy,torch,tensorflow] [--json]

Every library runs in processes of its own, one for each thread count, which take turns: a machine that slows down for
a while slows all of them. The table gives medians with the range, and the ratio of the medians to the fastest peer's.
Peers that are not installed are left out, and said to be.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

DISTRIBUTIONS = ("uniform", "normal", "truncated normal")
PEERS = ("numpy", "torch", "tensorflow")
THREADS = (1, 2)

Fill = Callable[[], object]


def seedbed_fills(elements: int, threads: int) -> dict[str, Fill]:
    """Return what fills an array with each distribution, by seedbed's own kernels."""
    from concurrent.futures import ThreadPoolExecutor

    from seedbed.wire.initializers import RandomNormalSpec, RandomUniformSpec, TruncatedNormalSpec
    from seedbed.wire.specs import TensorRequest, TensorSpec
    from seedbed_server.backends.cpu import CpuBackend
    from seedbed_server.sampler import TensorSource, plan

    backend = CpuBackend(threads)
    pool = ThreadPoolExecutor(threads)
    out = np.ones(elements, np.float32).view(np.uint8)
    step = -(-elements // (threads * 8)) * 4

    def fill(initializer: Any) -> Fill:
        source = TensorSource(plan(TensorRequest(TensorSpec("w", elements, "float32", initializer, seed=1))), backend)

        def run() -> None:
            begins = range(0, out.size, step)
            list(pool.map(lambda begin: source.fill(begin // 4, out[begin : begin + step]), begins))

        return run

    specs = (RandomUniformSpec(-1.0, 1.0), RandomNormalSpec(0.0, 0.02), TruncatedNormalSpec(0.0, 0.02))
    return dict(zip(DISTRIBUTIONS, map(fill, specs), strict=True))


def numpy_fills(elements: int, threads: int) -> dict[str, Fill]:
    """Return the same for numpy's fastest bit generator, with one generator for each thread."""
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    parts = np.array_split(np.ones(elements, np.float32), threads)
    generators = [np.random.Generator(np.random.SFC64(i)) for i in range(threads)]
    pairs = list(zip(generators, parts, strict=True))

    def each(fill: Callable[[np.random.Generator, Any], object]) -> Fill:
        return lambda: list(pool.map(lambda pair: fill(*pair), pairs))

    return {
        "uniform": each(lambda generator, part: generator.random(out=part, dtype=np.float32)),
        "normal": each(lambda generator, part: generator.standard_normal(out=part, dtype=np.float32)),
    }


def torch_fills(elements: int, threads: int) -> dict[str, Fill]:
    """Return the same for PyTorch's in-place functions."""
    import torch

    torch.set_num_threads(threads)
    out = torch.ones(elements)
    return {
        "uniform": lambda: out.uniform_(-1.0, 1.0),
        "normal": lambda: out.normal_(0.0, 0.02),
        "truncated normal": lambda: torch.nn.init.trunc_normal_(out, 0.0, 0.02, -0.04, 0.04),
    }


def tensorflow_fills(elements: int, threads: int) -> dict[str, Fill]:
    """Return the same for TensorFlow's random functions."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return {
        "uniform": lambda: tf.random.uniform((elements,), -1.0, 1.0).numpy().size,
        "normal": lambda: tf.random.normal((elements,), 0.0, 0.02).numpy().size,
        "truncated normal": lambda: tf.random.truncated_normal((elements,), 0.0, 0.02).numpy().size,
    }


FILLS = {
    "seedbed": seedbed_fills,
    "numpy": numpy_fills,
    "torch": torch_fills,
    "tensorflow": tensorflow_fills,
}


def work(library: str, elements: int, threads: int) -> None:
    """Time one distribution for each line of standard input, and answer with the seconds."""
    fills = FILLS[library](elements, threads)
    for fill in fills.values():
        fill()
    print(json.dumps(sorted(fills)), flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        fills[line.strip()]()
        print(time.perf_counter() - started, flush=True)


class Worker:
    """A process that runs one library with one thread count."""

    def __init__(self, library: str, elements: int, threads: int) -> None:
        command = [
            sys.executable,
            __file__,
            "--worker",
            library,
            "--elements",
            str(elements),
            "--threads",
            str(threads),
        ]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        first = self._read()
        self.distributions: list[str] = json.loads(first) if first else []

    def seconds(self, distribution: str) -> float:
        """Return how long one fill took."""
        assert self._process.stdin is not None
        self._process.stdin.write(distribution + "\n")
        self._process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def measure(mebibytes: int, rounds: int, peers: list[str]) -> list[dict[str, Any]]:
    """Return one row for each distribution and thread count: GB/s of each library, in every round."""
    elements = mebibytes * 2**20 // 4
    rows = []
    for threads in THREADS:
        workers = {library: Worker(library, elements, threads) for library in ("seedbed", *peers)}
        for distribution in DISTRIBUTIONS:
            speeds: dict[str, list[float]] = {}
            for _ in range(rounds):
                for library, worker in workers.items():
                    if distribution in worker.distributions:
                        speed = elements * 4 / worker.seconds(distribution) / 1e9
                        speeds.setdefault(library, []).append(speed)
            rows.append({"distribution": distribution, "threads": threads, "gigabytes_per_second": speeds})
        for worker in workers.values():
            worker.close()
    return rows


def print_table(rows: list[dict[str, Any]], peers: list[str]) -> None:
    """Print medians with their range, and the ratio to the fastest peer."""
    print(f"{'GB/s, median (range)':24}" + "".join(f"{name:>22}" for name in ("seedbed", *peers)) + f"{'ratio':>8}")
    for row in rows:
        speeds = row["gigabytes_per_second"]
        label = f"{row['distribution']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        cells = [
            f"{median(speeds[name]):.2f} ({min(speeds[name]):.2f}-{max(speeds[name]):.2f})" if name in speeds else "-"
            for name in ("seedbed", *peers)
        ]
        fastest = max((median(speeds[name]) for name in peers if name in speeds), default=0.0)
        ratio = f"{median(speeds['seedbed']) / fastest:.1f}x" if fastest else "-"
        print(f"{label:24}" + "".join(f"{cell:>22}" for cell in cells) + f"{ratio:>8}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", choices=sorted(FILLS), help=argparse.SUPPRESS)
    parser.add_argument("--elements", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.elements, options.threads)
        return
    peers = [peer for peer in options.peers.split(",") if peer]
    rows = measure(options.mebibytes, options.rounds, peers)
    if options.json:
        print(json.dumps(rows))
        return
    print_table(rows, peers)
    missing = [peer for peer in peers if not any(peer in row["gigabytes_per_second"] for row in rows)]
    if missing:
        print(f"not installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()
