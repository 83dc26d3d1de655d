"""Descriptions by a server: of itself, its initializers, and a tensor before sampling."""

from dataclasses import dataclass, fields
from typing import Literal

from seedbed.spec.digests import DigestAlgorithm
from seedbed.spec.dtypes import Dtype
from seedbed.spec.html import pairs
from seedbed.spec.initializers import Distribution

ElementDistribution = Distribution | Literal["constant", "orthogonal", "sparse", "diagonal"]
Capability = Literal["fill", "segments"]
CAPABILITIES: tuple[Capability, ...] = ("fill", "segments")
NUMERICS = "seedbed-1"
"""The numerics version that this release produces."""

# gRPC's default limit on a message counts everything in it; this leaves room for the header and the
# digest.
MAX_CHUNK_BYTES = 4 * 2**20 - 4096
# A tensor of at most so many bytes takes less time to sample than a call does: SampleSmallTensor
# sends it in one message.
MAX_SMALL_TENSOR_BYTES = 2**16
MIN_CHUNK_BYTES = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server refuses to go beyond."""

    max_request_message_bytes: int = 4 * 2**20
    """The size of one request message, in bytes."""
    max_tensors_per_request: int = 10_000
    """Tensors in one request."""
    max_rank: int = 32
    """Axes of a tensor."""
    max_name_bytes: int = 1024
    """Bytes of a tensor's name in UTF-8."""
    max_tensor_bytes: int = 2**38
    """Bytes of one tensor as requested: of its slice, where there is one."""
    max_request_bytes: int = 2**40
    """Bytes of all tensors of one request."""
    max_small_tensor_bytes: int = MAX_SMALL_TENSOR_BYTES
    """Bytes of a tensor that is sent in one message, as requested."""
    max_orthogonal_elements: int = 2**26
    """Elements computed in one piece: of an orthogonal block, or of a sparse tensor's line."""
    max_working_bytes: int = 4 * 2**30
    """Bytes of memory that one tensor may take beyond its chunks in flight."""
    max_request_cost_seconds: float = 3600.0
    """Core seconds that what is computed whole may take of one request."""
    max_chunk_bytes: int = MAX_CHUNK_BYTES
    """Bytes of data in one chunk."""
    max_concurrent_streams: int = 4096
    """Streams that sample at the same time."""
    stream_idle_seconds: float = 600.0
    """Seconds that a stream may wait for its reader."""
    max_stream_seconds: float = 86_400.0
    """Seconds that a stream may go on in all."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server is."""

    version: str
    """Its release."""
    numerics: tuple[str, ...]
    """The numerics versions it can produce, newest first."""
    dtypes: tuple[Dtype, ...]
    """The dtypes it can produce."""
    digest_algorithms: tuple[DigestAlgorithm, ...]
    """The digest algorithms it knows."""
    capabilities: tuple[Capability, ...]
    """What it can do that others may not: ``fill`` (constants as one element), ``segments``."""
    backend: str
    """What samples: ``cpu`` or ``gpu``."""
    device: str
    """The physical device, as text."""
    threads: int
    """Threads that sample."""
    limits: Limits
    """What it refuses to go beyond."""


@dataclass(frozen=True, slots=True)
class InitializerParameter:
    """One parameter of an initializer."""

    name: str
    """As in Keras."""
    type: str
    """``float``, ``integer``, ``boolean``, or ``string`` for one of ``choices``."""
    default: float | str | None
    """The default value; None where there is none."""
    choices: tuple[str, ...]
    """What a string may be."""
    description: str
    """What it does and which values it takes."""


@dataclass(frozen=True, slots=True)
class InitializerInfo:
    """One initializer that a server has."""

    name: str
    """Keras's class name."""
    field: str
    """Its snake_case name."""
    aliases: tuple[str, ...]
    """Other names."""
    description: str
    """What it fills a tensor with, and its source."""
    parameters: tuple[InitializerParameter, ...]
    """Its parameters, in Keras's order."""
    dtypes: tuple[Dtype, ...]
    """The dtypes it takes."""
    random: bool
    """Whether seed, name and draw matter."""


@dataclass(frozen=True, slots=True)
class TensorDescription:
    """What sampling a tensor would give, and what it would cost; absent figures are None."""

    name: str
    """The tensor's name."""
    shape: tuple[int, ...]
    """The lengths of all axes of what would be sent."""
    dtype: Dtype
    """The type of the elements."""
    size_bytes: int
    """Bytes that would be sent."""
    chunk_count: int
    """Chunks of the server's usual size that hold it; a stream's first ones are smaller."""
    fan_in: float | None = None
    """The number of inputs, from the whole shape."""
    fan_out: float | None = None
    """The number of outputs, from the whole shape."""
    distribution: ElementDistribution | None = None
    """What the elements are drawn from; None for an STFT, which nothing is drawn for."""
    minval: float | None = None
    """The lower end of a uniform, included."""
    maxval: float | None = None
    """The upper end of a uniform, excluded."""
    mean: float | None = None
    """The mean of a normal before truncation."""
    stddev: float | None = None
    """The standard deviation of a normal before truncation."""
    lower: float | None = None
    """The lower bound of a truncated normal, in standard deviations."""
    upper: float | None = None
    """The upper bound of a truncated normal, in standard deviations."""
    value: float | None = None
    """The value of a constant's elements, or of a diagonal's; an integer where it is one."""
    gain: float | None = None
    """What orthogonal matrices were multiplied with."""
    rows: int | None = None
    """Rows of each orthogonal matrix."""
    columns: int | None = None
    """Columns of each orthogonal matrix."""
    zeros_per_line: int | None = None
    """Elements that are 0 in each line of a sparse matrix."""
    line_length: int | None = None
    """Elements in each of these lines."""
    sampled_elements: int = 0
    """Elements that the server computes.

    For a slice of an orthogonal or sparse tensor these are whole blocks and lines.
    """
    working_bytes: int = 0
    """Memory that the server holds for it beyond its chunks in flight."""

    def _repr_html_(self) -> str:
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        known = ((name.replace("_", " "), value) for name, value in values if value is not None)
        return pairs("TensorDescription", ((name, _text(value)) for name, value in known))


def _text(value: object) -> str:
    if isinstance(value, Dtype):
        return value.value
    return f"{value:,}" if isinstance(value, int) else str(value)
