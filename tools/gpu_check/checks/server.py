"""The server on the device: many clients at a time, calls that are given up, the end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import seedbed as sb
from seedbed.spec.digests import Digester, digest_bytes
from seedbed.spec.dtypes import FLOATING
from tools.gpu_check.result import Checks, Passed
from tools.gpu_check.rig import Rig
from tools.gpu_check.served import Server, serving

CLIENTS = 8
CANCELS = 3
CALL_SECONDS = 60.0


def checks(rig: Rig) -> Checks:
    """Return the checks of one server, and of one with two processes."""
    server = rig.stack.enter_context(serving("--device", "gpu"))
    specs = specs_of(rig.sizes.client_bytes)
    right = {spec.name: digest_on_cpu(spec) for spec in specs}

    def clients() -> Passed:
        assert_samples_on_gpu(server)
        fetch_all(server.address, specs, right)
        return Passed(f"{CLIENTS} x {len(specs)} tensors have the CPU's digests")

    def cancels() -> Passed:
        at_a_time(lambda number: give_up(server.address, specs[number % len(specs)]))
        fetch_all(server.address, specs[:4], right)
        return Passed(f"{CLIENTS} x {CANCELS} calls given up; the digests after them are right")

    def sigterm() -> Passed:
        with sb.connect(server.address) as client:
            chunks = client.chunks(specs[-1], timeout_seconds=CALL_SECONDS)
            digester = Digester()
            digester.update(next(chunks).data)
            server.process.terminate()
            for chunk in chunks:
                digester.update(chunk.data)
        assert str(digester.digest()) == right[specs[-1].name], "the stream under way is not whole"
        code = server.process.wait(CALL_SECONDS)
        assert code == 0, f"exit code {code}: {server.log[-1000:]}"
        assert "Traceback" not in server.log, server.log[-1000:]
        return Passed("the stream under way came to its end; exit code 0")

    def workers() -> Passed:
        arguments = ("--device", f"gpu:{rig.index}", "--workers", "2")
        with serving(*arguments, processes=2) as both:
            fetch_all(both.address, specs[:4], right)
            assert both.terminate() == 0, both.log[-1000:]
        return Passed("two processes on one device give the CPU's digests; exit code 0")

    return {"8 clients": clients, "cancels": cancels, "SIGTERM": sigterm, "2 workers": workers}


def specs_of(largest_bytes: int) -> list[sb.TensorSpec]:
    """Return two small tensors of each dtype, and a large one at the end."""
    initializers: list[sb.Initializer] = [
        sb.RandomUniform(-1.0, 3.0, seed=1),
        sb.RandomNormal(seed=2),
    ]
    small = [
        sb.TensorSpec(f"{dtype.value} {place}", (301, 997), dtype, initializer)
        for dtype in FLOATING
        for place, initializer in enumerate(initializers)
    ]
    large = sb.TensorSpec("large", (largest_bytes // 4,), "float32", initializers[1])
    return [*small, large]


def digest_on_cpu(spec: sb.TensorSpec) -> str:
    """Return a tensor's digest, sampled on the processor of this process."""
    with sb.connect("embedded:") as client:
        return str(client.digest(spec))


def assert_samples_on_gpu(server: Server) -> None:
    """Check that the server says so itself."""
    with sb.connect(server.address) as client:
        info = client.server_info(timeout_seconds=CALL_SECONDS)
    assert info.backend == "gpu", f"the server samples on {info.backend}: {info.device}"


def fetch_all(address: str, specs: list[sb.TensorSpec], right: dict[str, str]) -> None:
    """Fetch all tensors by each of the clients, in other orders, and compare their digests."""

    def fetch(number: int) -> None:
        with sb.connect(address) as client:
            for spec in specs[number % len(specs) :] + specs[: number % len(specs)]:
                array = client.sample(spec, timeout_seconds=CALL_SECONDS)
                found = str(digest_bytes(array.reshape(-1).view("u1").data))
                assert found == right[spec.name], f"{spec.name} has digest {found}"

    at_a_time(fetch)


def give_up(address: str, spec: sb.TensorSpec) -> None:
    """Begin to fetch, and stop, some times."""
    with sb.connect(address) as client:
        for _ in range(CANCELS):
            chunks: Any = client.chunks(spec, timeout_seconds=CALL_SECONDS)
            next(chunks)
            chunks.close()


def at_a_time(function: Callable[[int], None]) -> None:
    """Call a function with the number of each client, in a thread of its own."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(function, range(CLIENTS)))
