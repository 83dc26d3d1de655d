"""A stream as values: a tensor's beginning, its bytes, its end, a sign of life.

The bytes come in one of three forms. What is ready at the same time comes as one tuple of events,
in order: a small tensor is its beginning, its bytes and its end at once.
"""

from typing import NamedTuple

from seedbed.spec.digests import Digest
from seedbed_server.sampling.sampler import SamplePlan

# Named tuples, as a message takes several: a frozen dataclass takes five times as long to make.


class TensorBegin(NamedTuple):
    """A tensor begins."""

    tensor_index: int
    """Its place in the request."""
    plan: SamplePlan
    """What is known of it."""


class TensorBytes(NamedTuple):
    """Some bytes of a tensor."""

    tensor_index: int
    byte_offset: int
    """Where in the slice they begin."""
    data: memoryview
    """At least one byte; valid only until the events have been rendered."""
    digest: bytes
    """The digest's value of all that the stream has given of the tensor, up to these bytes."""


class TensorFill(NamedTuple):
    """All bytes of a tensor, whose elements are all equal."""

    tensor_index: int
    element: bytes
    """One of them, little-endian."""
    size_bytes: int


class TensorSegment(NamedTuple):
    """All bytes of a tensor, in a file in shared memory."""

    tensor_index: int
    directory: str
    """The operator's folder."""
    path: str
    """The file, below that folder."""
    size_bytes: int


class TensorEnd(NamedTuple):
    """Nothing of a tensor comes after this."""

    tensor_index: int
    digest: Digest | None
    """Of the bytes that this stream gave of it; None for a segment, whose bytes nobody has read."""


class Heartbeat(NamedTuple):
    """The server still computes what comes next."""

    tensor_index: int
    byte_offset: int
    """Where in the slice the next bytes begin."""


StreamEvent = TensorBegin | TensorBytes | TensorFill | TensorSegment | TensorEnd | Heartbeat
