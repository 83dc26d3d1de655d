"""The engine in the client's own process."""

import multiprocessing
import subprocess
import sys
import threading

import numpy as np

import seedbed as sb

FORKED = """
import os, sys
import seedbed as sb
orthogonal = sb.Orthogonal(seed=1)
uniform = sb.GlorotUniform(seed=1)

def digests():
    arrays = orthogonal((96, 80)), uniform((1 << 20,), draw=0)
    return [sb.digest_bytes(array.tobytes()) for array in arrays]

before = digests()
child = os.fork()
after = digests()
if child == 0:
    os._exit(0 if after == before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(after != before))
"""


def test_a_forked_child_samples_the_same_bits_as_its_parent() -> None:
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=120, check=False).returncode == 0


def test_a_spawned_child_samples_the_same_bits() -> None:
    here = digest_of_a_tensor()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(digest_of_a_tensor) == here


def digest_of_a_tensor() -> str:
    """Return the digest of a tensor as the embedded engine samples it."""
    with sb.connect("embedded:") as client:
        return str(client.digest(sb.TensorSpec("w", (1000, 33), "bfloat16", sb.HeNormal(seed=3))))


def test_several_threads_sample_at_the_same_time() -> None:
    spec = sb.TensorSpec("w", (700_000,), "float32", sb.RandomNormal(seed=5))
    results: list[bytes] = []
    with sb.connect("embedded:") as client:
        threads = [
            threading.Thread(target=lambda: results.append(client.sample(spec).tobytes()))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1


def test_an_array_that_is_not_aligned_is_filled_all_the_same() -> None:
    memory = np.zeros(4 * 1001 + 1, np.uint8)
    out = memory[1:].view(np.float32)
    spec = sb.TensorSpec("w", out.shape, "float32", sb.GlorotUniform(seed=1))
    with sb.connect("embedded:") as client:
        client.sample(spec, out=out)
        assert out.tobytes() == client.sample(spec).tobytes()
