"""Requests of every method, and damage to their bytes."""

import random
from collections.abc import Callable

from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from seedbed.v1 import service_pb2
from tests.raw_calls import NUMERICS, SERVICE, sample_request, tensor
from tests.unknown_fields import varint

MATRICES = ("orthogonal", "identity")
TENSORS = [
    tensor((3, 4), kind, name=f"layers/{i}/{kind}", seed=i)
    for i, kind in enumerate(
        ("random_uniform", "random_normal", "glorot_uniform", "kaiming_normal", *MATRICES)
    )
]
# The methods and what is asked of them. The health service's parser and that of reflection are
# gRPC's own.
REQUESTS: list[tuple[str, Message]] = [
    ("GetServerInfo", service_pb2.GetServerInfoRequest()),
    ("ListInitializers", service_pb2.ListInitializersRequest()),
    ("DescribeTensors", service_pb2.DescribeTensorsRequest(tensors=TENSORS, numerics=NUMERICS)),
    ("DigestTensors", service_pb2.DigestTensorsRequest(tensors=TENSORS, numerics=NUMERICS)),
    ("SampleTensors", sample_request(*TENSORS)),
    ("SampleTensors", sample_request(*TENSORS, max_chunk_bytes=16)),
    (
        "SampleSmallTensor",
        service_pb2.SampleSmallTensorRequest(tensor=TENSORS[0], numerics=NUMERICS),
    ),
    (
        "SampleSmallTensor",
        service_pb2.SampleSmallTensorRequest(tensor=TENSORS[-2], numerics=NUMERICS),
    ),
    ("/grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest(service=SERVICE)),
    ("/grpc.health.v1.Health/Watch", health_pb2.HealthCheckRequest(service=SERVICE)),
    (
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ),
]
# Numbers at which readers go wrong.
VARINTS = [varint(number) for number in (0, 1, 127, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**64 - 1)]


def _flip(data: bytearray, draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _replace(data: bytearray, draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.randrange(256)


def _cut(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data) + 1) :]


def _remove(data: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(len(data) + 1)
    del data[begin : begin + draw.randrange(1, 9)]


def _insert(data: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(len(data) + 1)
    data[begin:begin] = draw.randbytes(draw.randrange(1, 9))


def _insert_number(data: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(len(data) + 1)
    data[begin : begin + draw.randrange(2)] = draw.choice(VARINTS)


def _repeat(data: bytearray, draw: random.Random) -> None:
    begin = draw.randrange(len(data) + 1)
    data += data[begin : begin + draw.randrange(1, 65)] * draw.randrange(1, 5)


def _swap(data: bytearray, draw: random.Random) -> None:
    middle = draw.randrange(len(data) + 1)
    data[:] = data[middle:] + data[:middle]


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    *(_flip, _replace, _cut, _remove, _insert, _insert_number, _repeat, _swap)
]


def mutated(seed: int) -> tuple[str, bytes]:
    """Return a method and a request for it, or for another one, damaged in one to four ways."""
    draw = random.Random(seed)
    name, message = draw.choice(REQUESTS)
    data = bytearray(message.SerializeToString())
    for _ in range(draw.randrange(1, 5)):
        draw.choice(MUTATIONS)(data, draw)
    if not draw.randrange(20):
        name = draw.choice(REQUESTS)[0]
    return name, bytes(data)
