"""seedbed: initialized tensors that are the same bits on every machine.

Sampled in this process, or by a server::

    import seedbed as sb

    w = sb.GlorotUniform(seed=42)(shape=(1024, 512))
    spec = sb.TensorSpec("wte", (50257, 768), "bfloat16", sb.RandomNormal(stddev=0.02), seed=7)
    with sb.connect("127.0.0.1:50051") as client:
        wte = client.sample(spec)
"""

import typing

from seedbed import initializers
from seedbed.client import Client, connect
from seedbed.defaults import get_default_client, set_default_client
from seedbed.errors import (
    AuthenticationError,
    CancelledError,
    DataLossError,
    DeadlineError,
    DeviceError,
    EngineNotInstalledError,
    ForkError,
    FrameworkNotInstalledError,
    InvalidArgumentError,
    InvalidTypeError,
    InvalidValueError,
    NoDeviceError,
    OutOfDeviceMemoryError,
    OverloadedError,
    PermissionDeniedError,
    SeedbedError,
    ServerError,
    TlsError,
    TransportError,
    UnavailableError,
    UnsupportedError,
)
from seedbed.initializers import (
    STFT,
    Constant,
    DeltaOrthogonal,
    Dirac,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    KaimingNormal,
    KaimingUniform,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    Sparse,
    TruncatedNormal,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
    Zeros,
    constant,
    delta_orthogonal,
    dirac,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    ones,
    orthogonal,
    random_normal,
    random_uniform,
    sparse,
    stft,
    truncated_normal,
    variance_scaling,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from seedbed.initializers.registry import deserialize, get, serialize
from seedbed.initializers.seeds import SeedGenerator
from seedbed.manifest import Manifest
from seedbed.spec.digests import Digest, digest_bytes, digest_of
from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import FanAxes, Fans, compute_fans
from seedbed.spec.gains import calculate_gain
from seedbed.spec.info import (
    InitializerInfo,
    InitializerParameter,
    Limits,
    ServerInfo,
    TensorDescription,
)
from seedbed.spec.slices import Shard, TensorSlice, shard
from seedbed.spec.stats import ClientStats, ReplicaStats
from seedbed.spec.tensors import TensorSpec
from seedbed.spec.tls import Tls

if typing.TYPE_CHECKING:
    from seedbed import aio
    from seedbed.reports.report import Report, report

    __version__: str

__all__ = [
    "STFT",
    "AuthenticationError",
    "CancelledError",
    "Client",
    "ClientStats",
    "Constant",
    "DataLossError",
    "DeadlineError",
    "DeltaOrthogonal",
    "DeviceError",
    "Digest",
    "Dirac",
    "Dtype",
    "EngineNotInstalledError",
    "FanAxes",
    "Fans",
    "ForkError",
    "FrameworkNotInstalledError",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "InitializerInfo",
    "InitializerParameter",
    "InvalidArgumentError",
    "InvalidTypeError",
    "InvalidValueError",
    "KaimingNormal",
    "KaimingUniform",
    "LecunNormal",
    "LecunUniform",
    "Limits",
    "Manifest",
    "NoDeviceError",
    "Ones",
    "Orthogonal",
    "OutOfDeviceMemoryError",
    "OverloadedError",
    "PermissionDeniedError",
    "RandomNormal",
    "RandomUniform",
    "ReplicaStats",
    "Report",
    "SeedGenerator",
    "SeedbedError",
    "ServerError",
    "ServerInfo",
    "Shard",
    "Sparse",
    "TensorDescription",
    "TensorSlice",
    "TensorSpec",
    "Tls",
    "TlsError",
    "TransportError",
    "TruncatedNormal",
    "UnavailableError",
    "UnsupportedError",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "Zeros",
    "aio",
    "calculate_gain",
    "compute_fans",
    "connect",
    "constant",
    "delta_orthogonal",
    "deserialize",
    "digest_bytes",
    "digest_of",
    "dirac",
    "get",
    "get_default_client",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initializers",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "report",
    "serialize",
    "set_default_client",
    "shard",
    "sparse",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


if not typing.TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what most programs never need when it is asked for: asyncio, the version."""
        if name == "aio":
            import importlib

            return importlib.import_module("seedbed.aio")
        if name in {"Report", "report"}:
            from seedbed.reports import report

            return getattr(report, name)
        if name == "__version__":
            from importlib import metadata

            return metadata.version("seedbed")
        from seedbed.spec.suggestions import did_you_mean

        hint = did_you_mean(name, __all__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")

    def __dir__() -> list[str]:
        """Return all names, for completion also those that are imported when asked for."""
        return sorted({*globals(), *__all__, "__version__"})
