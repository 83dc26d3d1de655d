"""A model has one digest in many layouts, and each device fetches only its own bytes."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import seedbed as sb
import seedbed.jax
from tests.frameworks.jax import rank
from tests.frameworks.jax.meshes import MESHES, mesh_of
from tests.free_addresses import free_address
from tests.servers import ServerProcess, serving

RULES = {"*/bias": "zeros", "*/scale": "ones", "*/attention": "orthogonal", "*": "lecun_normal"}
MODEL = {
    "embedding": jax.ShapeDtypeStruct((64, 32), "bfloat16"),
    "layer": {
        "attention": jax.ShapeDtypeStruct((32, 32), "float32"),
        "mlp": {
            "kernel": jax.ShapeDtypeStruct((32, 128), "bfloat16"),
            "bias": jax.ShapeDtypeStruct((128,), "float32"),
        },
        "norm": {"scale": jax.ShapeDtypeStruct((32,), "float32")},
    },
}
SIZE_BYTES = 2 * 64 * 32 + 4 * 32 * 32 + 2 * 32 * 128 + 4 * 128 + 4 * 32


def cut_of(leaf: Any) -> Any:
    """Return how a leaf is cut: matrices in both directions, vectors in one."""
    return P("x", "y") if len(leaf.shape) == 2 else P("y")


def fill(sharding_tree: Any, client: sb.Client) -> Any:
    """Return the model, filled."""
    return seedbed.jax.initialize(MODEL, sharding_tree, seed=3, rules=RULES, client=client)


def sent(server: ServerProcess) -> float:
    """Return how many bytes of tensors a server has sent."""
    return server.metric("seedbed_bytes_served_total")


@pytest.mark.parametrize("shape", MESHES, ids=lambda shape: "x".join(map(str, shape)))
def test_the_digest_is_that_of_one_device_and_each_byte_is_fetched_once(
    server: ServerProcess, shape: tuple[int, int]
) -> None:
    with sb.connect("embedded:") as client:
        expected = seedbed.jax.digest(fill(SingleDeviceSharding(jax.devices()[0]), client))
    mesh = mesh_of(shape)
    before = sent(server)
    with sb.connect(server.address) as client:
        params = fill(jax.tree.map(lambda leaf: NamedSharding(mesh, cut_of(leaf)), MODEL), client)
    assert sent(server) - before == SIZE_BYTES == expected.size_bytes
    assert seedbed.jax.digest(params) == expected
    for leaf in jax.tree.leaves(params):
        assert leaf.sharding == NamedSharding(mesh, cut_of(leaf))


def run_rank(number: int, count: int, coordinator: str, target: str) -> list[Any]:
    """Return what a process of a job prints."""
    command = [
        sys.executable,
        str(Path(rank.__file__)),
        str(number),
        str(count),
        coordinator,
        target,
    ]
    variables = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_process_of_several_fetches_only_what_lies_on_its_devices(server: ServerProcess) -> None:
    with serving("--admin-listen", "127.0.0.1:0") as other:
        coordinator = free_address()
        servers = (server, other)
        before = [sent(each) for each in servers]
        with ThreadPoolExecutor(2) as pool:
            runs = pool.map(
                run_rank, (0, 1), (2, 2), (coordinator,) * 2, [each.address for each in servers]
            )
            printed = list(runs)
        fetched = [sent(each) - start for each, start in zip(servers, before, strict=True)]
    # Of a mesh of 2 x 2: half of the kernel and of the embedding, and all of the bias, though two
    # devices hold each.
    own = 4 * (64 * 32 // 2 + 128 * 8 // 2 + 32)
    # Of what a function makes: half of the weight, what `steps` is computed from, and no ones.
    own += 4 * (64 * 32 // 2 + 8)
    assert fetched == [own, own]
    specs = {
        name: sb.TensorSpec(
            name,
            shape,
            "float32",
            sb.Zeros() if name == "bias" else sb.GlorotUniform(seed=rank.SEED),
        )
        for name, shape in rank.SHAPES.items()
    }
    with sb.connect("embedded:") as client:
        whole = {name: client.sample(spec) for name, spec in specs.items()}
    made = seedbed.jax.initializing(rank.make, seed=rank.SEED)(jax.random.key(0))
    whole.update((name, np.asarray(leaf)) for name, leaf in made.items())
    seen = []
    for *parts, refusal in printed:
        assert "shards all lie on devices of this process" in refusal
        for name, starts, lengths, digest in parts:
            part = sb.TensorSlice(tuple(starts), tuple(lengths))
            assert digest == str(sb.digest_bytes(whole[name][part.index].tobytes()))
            seen.append((name, part))
    assert len(seen) == 2 * 2 * (3 + 3)
    assert len(set(seen)) == 4 + 2 + 1 + 4 + 2 + 2


def test_a_digest_tells_trees_apart_and_takes_keys_and_numpy_arrays() -> None:
    tree = {"b": np.arange(3, dtype=np.float32), "a": jax.numpy.ones((2, 2), "bfloat16")}
    expected = sb.digest_of(
        {name: sb.digest_bytes(np.asarray(tree[name]).tobytes()) for name in "ab"}
    )
    assert seedbed.jax.digest(tree) == expected
    assert seedbed.jax.digest({**tree, "b": tree["b"] + 1}) != expected
    words = sb.digest_bytes(np.array([0, 1], "<u4").tobytes())
    assert seedbed.jax.digests([jax.random.key(1)]) == {"0": words}
