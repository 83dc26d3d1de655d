"""What is fetched through faults, and what is right of it.

The embedded engine says what is right, so that no network has a part in it.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

import numpy as np

import seedbed as sb
from seedbed.spec.digests import Digest, digest_array, digest_bytes, digest_of
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.parts import Chunk

MIB = 2**20
SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
"""In mebibytes. The mean is 18."""
MANIFEST_TENSORS = 148


def spec_of(size_bytes: int, *, seed: int = 1) -> sb.TensorSpec:
    """Return a tensor of that size, really sampled and quickly."""
    return sb.TensorSpec(
        f"w{size_bytes}", (size_bytes // 512, 256), "bfloat16", sb.RandomUniform(seed=seed)
    )


def manifest_of_a_model() -> sb.Manifest:
    """Return as many tensors as GPT-2 has, from 64 elements to half a mebibyte; 19 MiB in all."""
    shapes = [(64,), (16, 64), (256, 256), (512, 512)]
    return sb.Manifest(
        [
            sb.TensorSpec(f"h.{i}.weight", shapes[i % 4], "bfloat16", sb.RandomNormal(seed=i))
            for i in range(MANIFEST_TENSORS)
        ]
    )


class HostMemory:
    """Memory of the host in the place of a device's: a landing and its array at once."""

    def __init__(self, size_bytes: int) -> None:
        self.content = np.zeros(size_bytes, np.uint8)

    def write(self, byte_offset: int, data: memoryview) -> None:
        self.content[byte_offset : byte_offset + len(data)] = data

    def array(self) -> "HostMemory":
        return self


class HostDevice:
    """A device that is none, for what arrives from a server."""

    def landing(self, request: TensorRequest) -> HostMemory:
        return HostMemory(request.size_bytes)

    def sample(self, request: TensorRequest) -> Any:
        raise AssertionError("a server samples")


class Contents:
    """Tensors of each size and a model, with what is right of each.

    Args:
        server: describes them, asked with nothing in between.
    """

    def __init__(self, server: str) -> None:
        self.specs = [spec_of(size * MIB) for size in SIZES]
        self.small = spec_of(512)
        self.manifest = manifest_of_a_model()
        with sb.connect("embedded:") as engine:
            self.digests = {spec.name: engine.digest(spec) for spec in (*self.specs, self.small)}
            self.of_manifest = digest_of(engine.digest_all(self.manifest))
        with sb.connect(server) as client:
            self.descriptions = {spec.name: client.describe(spec) for spec in self.specs}


def _digest_of_chunks(chunks: Iterable[Chunk]) -> Digest:
    return digest_bytes(b"".join(bytes(chunk.data) for chunk in chunks))


def _digest_of_all(arrays: dict[str, Any]) -> Digest:
    return digest_of({name: digest_array(array) for name, array in arrays.items()})


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call: of a client, or of an asynchronous one."""

    ask: Callable[[Any, Contents, sb.TensorSpec], Any]
    """Makes it."""
    is_right: Callable[[Contents, sb.TensorSpec, Any], bool]
    """Tells whether that is right which it returned."""


CALLS: dict[str, Call] = {
    "sample": Call(
        lambda client, _, spec: client.sample(spec),
        lambda contents, spec, array: digest_array(array) == contents.digests[spec.name],
    ),
    "sample_all": Call(
        lambda client, contents, _: client.sample_all(contents.manifest),
        lambda contents, _, arrays: _digest_of_all(arrays) == contents.of_manifest,
    ),
    "chunks": Call(
        lambda client, _, spec: client.chunks(spec),
        lambda contents, spec, chunks: _digest_of_chunks(chunks) == contents.digests[spec.name],
    ),
    "device": Call(
        lambda client, _, spec: client.sample(spec, device="gpu"),
        lambda contents, spec, memory: (
            digest_bytes(memory.content.data) == contents.digests[spec.name]
        ),
    ),
    "small": Call(
        lambda client, contents, _: client.sample(contents.small),
        lambda contents, _, array: digest_array(array) == contents.digests[contents.small.name],
    ),
    "digest": Call(
        lambda client, _, spec: client.digest(spec),
        lambda contents, spec, digest: bool(digest == contents.digests[spec.name]),
    ),
    "describe": Call(
        lambda client, _, spec: client.describe(spec),
        lambda contents, spec, found: bool(found == contents.descriptions[spec.name]),
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One call of one tensor, or of the model."""

    kind: str
    spec: sb.TensorSpec
    contents: Contents

    def __str__(self) -> str:
        return f"{self.kind} {self.spec.name}"

    def ask(self, client: sb.Client) -> Any:
        """Return what a client answers; all of the chunks where it answers with these."""
        found = CALLS[self.kind].ask(client, self.contents, self.spec)
        return list(found) if isinstance(found, Iterator) else found

    async def ask_later(self, client: sb.aio.Client) -> Any:
        """Return the same of an asynchronous client."""
        found = CALLS[self.kind].ask(client, self.contents, self.spec)
        if isinstance(found, AsyncIterator):
            return [chunk async for chunk in found]
        return await found

    def is_right(self, found: Any) -> bool:
        """Return whether an answer is right."""
        return CALLS[self.kind].is_right(self.contents, self.spec, found)


def questions(contents: Contents, count: int, random: Random) -> list[Question]:
    """Return questions of all kinds in turn, of tensors of all sizes."""
    kinds = cycle(random.sample(sorted(CALLS), len(CALLS)))
    return [Question(next(kinds), random.choice(contents.specs), contents) for _ in range(count)]
