"""Conversions of protobuf messages to our own values and back.

Messages are built and read nowhere else. There is a module for each noun.
"""

from seedbed.wire.protos.descriptions import descriptions_from_proto, descriptions_to_proto
from seedbed.wire.protos.differences import FieldDifference, difference
from seedbed.wire.protos.enums import (
    UnknownNumericsError,
    digest_algorithm_from_proto,
    digest_algorithm_to_proto,
    numerics_from_proto,
    numerics_to_proto,
)
from seedbed.wire.protos.info import (
    initializer_infos_from_proto,
    initializer_infos_to_proto,
    server_info_from_proto,
    server_info_to_proto,
)
from seedbed.wire.protos.requests import (
    tensor_faults,
    tensor_request_from_proto,
    tensor_request_to_proto,
    tensor_requests_from_proto,
)
from seedbed.wire.protos.stream import (
    digest_from_bytes,
    digest_from_proto,
    digest_to_bytes,
    digest_to_proto,
    header_from_bytes,
    header_from_proto,
    header_to_bytes,
    header_to_proto,
    segment_from_bytes,
    segment_to_bytes,
)

__all__ = [
    "FieldDifference",
    "UnknownNumericsError",
    "descriptions_from_proto",
    "descriptions_to_proto",
    "difference",
    "digest_algorithm_from_proto",
    "digest_algorithm_to_proto",
    "digest_from_bytes",
    "digest_from_proto",
    "digest_to_bytes",
    "digest_to_proto",
    "header_from_bytes",
    "header_from_proto",
    "header_to_bytes",
    "header_to_proto",
    "initializer_infos_from_proto",
    "initializer_infos_to_proto",
    "numerics_from_proto",
    "numerics_to_proto",
    "segment_from_bytes",
    "segment_to_bytes",
    "server_info_from_proto",
    "server_info_to_proto",
    "tensor_faults",
    "tensor_request_from_proto",
    "tensor_request_to_proto",
    "tensor_requests_from_proto",
]
