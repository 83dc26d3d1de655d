"""The asynchronous client: what :class:`seedbed.Client` does, for programs that run on asyncio.

import seedbed as sb

async with sb.aio.connect("127.0.0.1:50051") as client:
    whole, digest = await asyncio.gather(client.sample(spec), client.digest(spec))
"""

from seedbed.aio.client import Client, connect

__all__ = ["Client", "connect"]
