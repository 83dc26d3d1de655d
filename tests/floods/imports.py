"""A process's first calls, and which modules they import.

python -m tests.floods.imports ADDRESS
"""

import asyncio
import json
import sys
import threading
from contextlib import suppress

import seedbed as sb
from seedbed import aio

SMALL = sb.TensorSpec("s", (10,), "float32", sb.RandomUniform(seed=1))
LARGE = sb.TensorSpec("l", (2**20,), "float32", sb.RandomUniform(seed=1))
REFUSED = sb.TensorSpec("r", (2**45,), "float32", sb.RandomUniform(seed=1))


def call_all(client: sb.Client) -> None:
    """Make a call of each kind."""
    client.wait_ready()
    client.server_info()
    client.describe(SMALL)
    client.sample(SMALL)
    client.sample(LARGE)
    client.digest(LARGE)
    for _ in client.chunks(LARGE):
        pass
    with suppress(sb.InvalidArgumentError):
        client.digest(REFUSED)


async def call_async(client: aio.Client) -> None:
    """Make two calls at a time."""
    await asyncio.gather(client.sample(SMALL), client.digest(LARGE))


def main(address: str) -> None:
    """Print what the calls imported."""
    client, async_client = sb.connect(address), aio.connect(address)
    before = set(sys.modules)
    thread = threading.Thread(target=call_all, args=(client,))
    thread.start()
    thread.join()
    asyncio.run(call_async(async_client))
    print(json.dumps(sorted(set(sys.modules) - before)))


if __name__ == "__main__":
    main(sys.argv[1])
