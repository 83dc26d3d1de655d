"""What every method of a client answers, so that the clients of both kinds can be compared."""

from typing import Any

import numpy as np

import seedbed as sb


def every_answer(client: sb.Client, model: sb.Manifest, other: sb.TensorSpec) -> list[Any]:
    """Return what the synchronous client answers.

    Args:
        client: whom to ask.
        model: the tensors of calls for several; its first one is also asked for alone.
        other: the tensor of which a part is asked for.
    """
    spec = model.tensors[0]
    return [
        client.sample(spec).tobytes(),
        client.sample(other, slice=sb.shard(1, 3)).tobytes(),
        {name: array.tobytes() for name, array in client.sample_all(model).items()},
        [(c.byte_offset, bytes(c.data), c.digest) for c in client.chunks(other, first_byte=400)],
        client.describe(spec, slice=sb.shard(0, 2)),
        client.describe_all(model),
        client.digest(spec, algorithm="sha256"),
        client.digest_all(model, slice=sb.shard(0, 2)),
        client.list_initializers(),
        client.server_info(),
    ]


async def every_awaited_answer(
    client: sb.aio.Client, model: sb.Manifest, other: sb.TensorSpec
) -> list[Any]:
    """Return what the asynchronous client answers; see :func:`every_answer`."""
    spec = model.tensors[0]
    out = np.zeros(spec.shape, spec.dtype.numpy)
    await client.wait_ready()
    assert await client.sample(spec, out=out) is out
    return [
        out.tobytes(),
        (await client.sample(other, slice=sb.shard(1, 3))).tobytes(),
        {name: array.tobytes() for name, array in (await client.sample_all(model)).items()},
        [
            (c.byte_offset, bytes(c.data), c.digest)
            async for c in client.chunks(other, first_byte=400)
        ],
        await client.describe(spec, slice=sb.shard(0, 2)),
        await client.describe_all(model),
        await client.digest(spec, algorithm="sha256"),
        await client.digest_all(model, slice=sb.shard(0, 2)),
        await client.list_initializers(),
        await client.server_info(),
    ]
