"""All that clients do, for as long as is wanted, by a process that looks at what it holds.

    python -m tests.floods.mixed_load ADDRESS SECONDS

Prints its states as JSON, each when the threads rest: after a first round, and at the end.
"""

import asyncio
import json
import random
import sys
import threading
import time
from contextlib import aclosing, suppress

import numpy as np

import seedbed as sb
from seedbed import aio
from seedbed.spec.digests import digest_array
from tests.floods.own_state import settled

THREADS, TASKS = 4, 4
WARM_UP_SECONDS = 4.0
SPECS = [
    sb.TensorSpec("empty", (0, 3), "float32", sb.RandomUniform(seed=1)),
    sb.TensorSpec("scalar", (), "float64", sb.RandomNormal(seed=1)),
    sb.TensorSpec("small", (1000,), "float16", sb.HeNormal(seed=1)),
    sb.TensorSpec("middle", (300, 700), "bfloat16", sb.TruncatedNormal(seed=1)),
    sb.TensorSpec("large", (2048, 1024), "float32", sb.RandomNormal(seed=1)),
    sb.TensorSpec("matrix", (64, 96), "float32", sb.Orthogonal(seed=1)),
]
MANIFEST = sb.Manifest(SPECS)
HUGE = sb.TensorSpec("h", (2**36,), "bfloat16", sb.RandomUniform(seed=1))
# Refused by the server alone: the client knows no limit of its.
REFUSED = sb.TensorSpec("r", (2**45,), "float32", sb.RandomUniform(seed=1))


class Load:
    """What threads and tasks do, and how often they did it.

    Args:
        address: of the server.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        with sb.connect("embedded:") as engine:
            self._digests = engine.digest_all(MANIFEST)
        self.calls = 0
        self.errors: list[str] = []

    def run(self, seconds: float) -> None:
        """Let all work for a while, each with a client of its own, then return."""
        end = time.monotonic() + seconds
        threads = [threading.Thread(target=self._work, args=(i, end)) for i in range(THREADS)]
        threads.append(threading.Thread(target=lambda: asyncio.run(self._work_async(end))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, number: int, end: float) -> None:
        draw = random.Random(number)
        try:
            while time.monotonic() < end:
                with sb.connect(self._address) as client:
                    client.wait_ready(60)
                    for _ in range(20):
                        self._call(client, draw)
                        self.calls += 1
        except Exception as error:  # noqa: BLE001  # reported by main
            self.errors.append(repr(error))

    def _call(self, client: sb.Client, draw: random.Random) -> None:
        spec = draw.choice(SPECS)
        match draw.randrange(8):
            case 0 | 1:
                assert digest_array(client.sample(spec)) == self._digests[spec.name]
            case 2:
                for array in client.sample_all(MANIFEST).values():
                    assert isinstance(array, np.ndarray)
            case 3:
                assert client.digest_all(MANIFEST) == self._digests
            case 4:
                assert client.describe(spec).shape == spec.shape
            case 5:
                chunks = client.chunks(HUGE)
                for _ in range(draw.randrange(1, 4)):
                    next(chunks)
            case 6:
                with suppress(sb.InvalidArgumentError):
                    client.digest(REFUSED)
                    raise AssertionError("a tensor of 128 TiB was not refused")
            case _:
                with suppress(sb.DeadlineError):
                    client.digest(HUGE, timeout_seconds=0.01)

    async def _work_async(self, end: float) -> None:
        try:
            async with aio.connect(self._address) as client:
                await asyncio.gather(*(self._calls_async(client, i, end) for i in range(TASKS)))
        except Exception as error:  # noqa: BLE001  # reported by main
            self.errors.append(repr(error))

    async def _calls_async(self, client: aio.Client, number: int, end: float) -> None:
        draw = random.Random(number)
        while time.monotonic() < end:
            spec = draw.choice(SPECS)
            match draw.randrange(4):
                case 0:
                    assert digest_array(await client.sample(spec)) == self._digests[spec.name]
                case 1:
                    assert await client.digest(spec) == self._digests[spec.name]
                case 2:
                    async with aclosing(client.chunks(HUGE)) as chunks:
                        async for _ in chunks:
                            break
                case _:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            await client.digest(HUGE)
            self.calls += 1


def main(address: str, seconds: float) -> None:
    """Work, and print what this process held before and after, and what it did."""
    load = Load(address)
    load.run(WARM_UP_SECONDS)
    before = settled()
    print("begun", flush=True)
    sys.stdin.readline()
    load.run(seconds)
    print(json.dumps([before, settled(before), load.calls, load.errors]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
