"""Between what a server says of itself (its limits, its catalogue) and its messages."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from seedbed.spec.info import (
    CAPABILITIES,
    Capability,
    InitializerInfo,
    InitializerParameter,
    Limits,
    ServerInfo,
)
from seedbed.v1 import service_pb2
from seedbed.wire.protos.enums import (
    DIGESTS,
    DIGESTS_BACK,
    DTYPES,
    DTYPES_BACK,
    VERSIONS,
    VERSIONS_BACK,
)

CAPABILITY_NUMBERS: dict[Capability, Any] = {
    capability: service_pb2.Capability.Value(f"CAPABILITY_{capability.upper()}")
    for capability in CAPABILITIES
}


def server_info_to_proto(info: ServerInfo) -> service_pb2.GetServerInfoResponse:
    """Return the message of a server's self-description."""
    return service_pb2.GetServerInfoResponse(
        version=info.version,
        numerics=[VERSIONS[version] for version in info.numerics],
        dtypes=[DTYPES[dtype] for dtype in info.dtypes],
        digest_algorithms=[DIGESTS[algorithm] for algorithm in info.digest_algorithms],
        capabilities=[CAPABILITY_NUMBERS[capability] for capability in info.capabilities],
        backend=info.backend,
        device=info.device,
        threads=info.threads,
        limits=service_pb2.Limits(
            **{f.name: getattr(info.limits, f.name) for f in dataclasses.fields(Limits)}
        ),
    )


def server_info_from_proto(message: service_pb2.GetServerInfoResponse) -> ServerInfo:
    """Return what a server says of itself; what this release has no name for is left out."""
    return ServerInfo(
        version=message.version,
        numerics=tuple(VERSIONS_BACK[n] for n in message.numerics if n in VERSIONS_BACK),
        dtypes=tuple(DTYPES_BACK[n] for n in message.dtypes if n in DTYPES_BACK),
        digest_algorithms=tuple(
            DIGESTS_BACK[n] for n in message.digest_algorithms if n in DIGESTS_BACK
        ),
        capabilities=tuple(c for c, n in CAPABILITY_NUMBERS.items() if n in message.capabilities),
        backend=message.backend,
        device=message.device,
        threads=message.threads,
        limits=Limits(
            **{f.name: getattr(message.limits, f.name) for f in dataclasses.fields(Limits)}
        ),
    )


def initializer_infos_to_proto(
    infos: Iterable[InitializerInfo],
) -> service_pb2.ListInitializersResponse:
    """Return the message of a catalogue."""
    return service_pb2.ListInitializersResponse(
        initializers=[
            service_pb2.InitializerInfo(
                name=info.name,
                field=info.field,
                aliases=info.aliases,
                description=info.description,
                parameters=[
                    service_pb2.InitializerParameter(
                        name=parameter.name,
                        type=parameter.type,
                        default_json=json.dumps(parameter.default),
                        choices=parameter.choices,
                        description=parameter.description,
                    )
                    for parameter in info.parameters
                ],
                dtypes=[DTYPES[dtype] for dtype in info.dtypes],
                random=info.random,
            )
            for info in infos
        ]
    )


def initializer_infos_from_proto(
    message: service_pb2.ListInitializersResponse,
) -> list[InitializerInfo]:
    """Return the catalogue that a message holds."""
    return [
        InitializerInfo(
            name=info.name,
            field=info.field,
            aliases=tuple(info.aliases),
            description=info.description,
            parameters=tuple(
                InitializerParameter(
                    p.name, p.type, json.loads(p.default_json), tuple(p.choices), p.description
                )
                for p in info.parameters
            ),
            dtypes=tuple(DTYPES_BACK[n] for n in info.dtypes if n in DTYPES_BACK),
            random=info.random,
        )
        for info in message.initializers
    ]
