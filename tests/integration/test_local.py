"""A client that samples by itself, under the authority of a server: equal digests, or an error."""

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

import seedbed as sb
from seedbed.client import Client
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.base import embedded_transport
from tests.servers import ServerProcess, serving

SPEC = sb.TensorSpec("w", (300, 700), "bfloat16", sb.GlorotNormal(seed=1))
MODEL = sb.Manifest(
    [
        SPEC,
        sb.TensorSpec("b", (0,), "float32", sb.Ones()),
        sb.TensorSpec("q", (9, 9), "float64", sb.Orthogonal(seed=1)),
    ]
)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with serving() as process:
        yield process


def test_a_local_sample_moves_no_bytes_and_has_the_servers_digest(server: ServerProcess) -> None:
    before = server.log.count("method=SampleTensors")
    with sb.connect(server.address) as client:
        array = client.sample(SPEC, local=True)
        assert sb.digest_bytes(array.reshape(-1).view(np.uint8).data) == client.digest(SPEC)
        part = client.sample(SPEC, slice=sb.shard(1, 4), local=True)
        assert np.array_equal(part, array[75:150])
        out = np.empty_like(array)
        assert client.sample(SPEC, out=out, local=True) is out
        assert np.array_equal(out, array)
        model = client.sample_all(MODEL, local=True)
        assert list(model) == list(MODEL)
        assert np.array_equal(model["w"], array)
    server.wait_for_count("method=DigestTensors code=OK", 5)
    assert server.log.count("method=SampleTensors") == before


def test_the_asynchronous_client_samples_locally_too(server: ServerProcess) -> None:
    async def sample() -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
        async with sb.aio.connect(server.address) as client:
            return await client.sample_all(MODEL, local=True)

    here = sb.connect("embedded:").sample_all(MODEL)
    for name, array in asyncio.run(sample()).items():
        assert array.tobytes() == here[name].tobytes()


def test_a_machine_that_differs_from_the_server_is_told_so() -> None:
    class Differing:
        """The engine, but for one digest."""

        target = "a server"

        def another(self) -> "Differing":
            return self

        def cancel(self) -> None:
            pass

        def digest(
            self,
            requests: Sequence[TensorRequest],
            algorithm: DigestAlgorithm,
            timeout_seconds: float | None = None,
        ) -> list[Digest]:
            digests = embedded_transport().digest(requests, algorithm)
            return [*digests[:-1], dataclasses.replace(digests[-1], value=bytes(16))]

    client = Client(Differing())  # type: ignore[arg-type]  # nothing else is asked for
    with pytest.raises(
        sb.DataLossError,
        match=r"other bits for 'q' than a server; run `seedbed-server --self-test`",
    ):
        client.sample_all(MODEL, local=True)


def test_without_a_server_local_is_what_happens_anyway() -> None:
    with sb.connect("embedded:") as client:
        assert np.array_equal(client.sample(SPEC, local=True), client.sample(SPEC))


def test_a_server_that_is_gone_is_missed() -> None:
    with (
        sb.connect("127.0.0.1:9", patience_seconds=0) as client,
        pytest.raises(sb.UnavailableError),
    ):
        client.sample(SPEC, local=True)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"local": 1}, TypeError), ({"local": True, "device": "gpu"}, ValueError)],
)
def test_local_is_a_bool_and_not_for_a_gpu(
    arguments: dict[str, object], error: type[Exception]
) -> None:
    with sb.connect("embedded:") as client, pytest.raises(error, match="`local` must be"):
        client.sample(SPEC, **arguments)  # type: ignore[call-overload]  # on purpose


def test_ranks_that_ask_for_the_same_digests_cost_one_sampling(server: ServerProcess) -> None:
    slow = sb.TensorSpec("slow", (2**27,), "float32", sb.RandomNormal(seed=5))
    zero, minus = (sb.TensorSpec("z", (4,), "float32", sb.Constant(value)) for value in (0.0, -0.0))
    with sb.connect(server.address) as client:
        first = client.digest(slow)
        nothing = "bytes_sampled=0 bytes_sent=0 tensors=1 chunks=0"
        before = server.log.count(nothing)
        assert [client.digest(slow) for _ in range(8)] == [first] * 8
        server.wait_for_count(nothing, before + 8)
        assert client.digest(slow, algorithm="sha256").algorithm == "sha256"
        mixed = sb.Manifest([zero, slow, dataclasses.replace(minus, name="m"), SPEC])
        assert client.digest_all(mixed) == sb.connect("embedded:").digest_all(mixed)
        assert client.digest(zero) != client.digest(minus)
