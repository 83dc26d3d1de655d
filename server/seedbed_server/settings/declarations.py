"""The settings of a server, each declared once.

Flags, variables, the help, errors and the table in docs/operations.md derive from the declarations.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from seedbed.spec.info import MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, Limits
from seedbed_server.settings.kinds import (
    ADDRESS,
    DEVICE,
    DIRECTORY,
    FILE,
    FILE_MODE,
    SECONDS,
    SOCKET_MODE,
    SOME_SECONDS,
    SWITCH,
    TCP_ADDRESS,
    Kind,
    choice,
    integer,
    size,
)

T = TypeVar("T")

# gRPC keeps the size of a message in 32 bits.
LARGEST_MESSAGE_BYTES = 2**31 - 1
MAX_WORKERS = 1024
# The SDK declares what a server may report, and with which defaults.
_LIMITS = Limits()
VARIABLE_PREFIX = "SEEDBED_"


@dataclass(frozen=True, slots=True)
class Setting:
    """What an operator can set."""

    name: str
    """The field of :class:`Settings`."""
    default: Any
    """Its value where no source gives one."""
    kind: Kind[Any]
    """How its values are written."""
    description: str
    """What it is, as the help and the docs say it."""
    unset: str
    """What a default of None stands for."""
    repeats: bool
    """Whether it has several values: of a flag given several times, or between commas."""

    @property
    def flag(self) -> str:
        """How the command line calls it."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """How the environment calls it."""
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def default_text(self) -> str:
        """The default as people read it."""
        if self.default is None:
            return self.unset
        return ", ".join(map(self.kind.show, self.default if self.repeats else [self.default]))

    def parse(self, texts: Sequence[str]) -> Any:
        """Return the value of one text, or of several where it repeats.

        Raises:
            ValueError: saying what is allowed and what came.
        """
        values = tuple(map(self.kind.parse, texts))
        return values if self.repeats else values[-1]

    def write(self, value: Any) -> str | list[str]:
        """Return the text of a value, or several where it repeats: what :meth:`parse` reads."""
        return list(map(self.kind.write, value)) if self.repeats else self.kind.write(value)


def setting(
    default: T | None,
    kind: Kind[T],
    description: str,
    *,
    unset: str = "none",
    repeats: bool = False,
) -> Any:
    """Return a dataclass field that carries the rest of its :class:`Setting`."""
    rest = {"kind": kind, "description": description, "unset": unset, "repeats": repeats}
    return dataclasses.field(default=(default,) if repeats else default, metadata=rest)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server runs. None is the default that ``unset`` describes."""

    listen: tuple[str, ...] = setting(
        "127.0.0.1:50051",
        ADDRESS,
        "where to listen: host:port (port 0: a free one) or unix:///path; "
        "repeat the flag for more, separate them by commas in the variable, or list them in the "
        "file",
        repeats=True,
    )
    unix_mode: int = setting(
        0o600,
        SOCKET_MODE,
        "who may connect to the Unix sockets: 600 this user, 660 its group as well, 666 everyone",
    )
    tls_cert: Path | None = setting(
        None,
        FILE,
        "the server's certificate, with those between it and the root (PEM): TCP ports speak only "
        "TLS then",
    )
    tls_key: Path | None = setting(None, FILE, "its private key (PEM, without a passphrase)")
    tls_client_ca: Path | None = setting(
        None,
        FILE,
        "certificates of authorities (PEM): to connect to a TCP port, a client needs a certificate "
        "that one of them has signed",
        unset="none: clients need no certificate",
    )
    insecure: bool = setting(
        False,
        SWITCH,
        "listen without TLS also where other hosts can connect: whoever is in between can read and "
        "change everything",
    )
    device: str = setting(
        "auto",
        DEVICE,
        "what samples: auto (a GPU if one works, else the CPU), cpu, gpu (every GPU, one process "
        "each) or gpu:N",
    )
    threads: int | None = setting(
        None,
        integer(),
        "threads that sample, in each worker",
        unset="one for each processor, shared among the workers",
    )
    workers: int | None = setting(
        None,
        integer(most=MAX_WORKERS),
        "processes that share the TCP ports; a Unix socket takes only one",
        unset="1; with --device gpu, one for each GPU",
    )
    chunk_bytes: int = setting(
        2**21,
        size(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES),
        "data in a chunk, unless the client asks for another size",
    )
    max_inflight_bytes: int = setting(
        512 * 2**20,
        size(),
        "sampled chunks that the process may hold for its streams at a time",
    )
    max_working_bytes: int = setting(
        _LIMITS.max_working_bytes,
        size(),
        "what the process may hold at a time for tensors that are computed whole (orthogonal, "
        "sparse, STFT), and for the lists of tensors that clients have asked for",
    )
    max_request_cost_seconds: float = setting(
        _LIMITS.max_request_cost_seconds,
        SECONDS,
        "core seconds that one request may take for what is computed whole",
    )
    stream_idle_seconds: float = setting(
        _LIMITS.stream_idle_seconds,
        SOME_SECONDS,
        "how long a stream waits for a reader that takes nothing",
    )
    max_stream_seconds: float = setting(
        _LIMITS.max_stream_seconds, SOME_SECONDS, "how long a stream may go on in all"
    )
    window_bytes: int = setting(
        32 * 2**20,
        size(0),
        "sent data that is kept for other streams that read the same tensors at the same time: "
        "ranks that ask together cost one sampling",
    )
    shared_memory_dir: Path | None = setting(
        None,
        DIRECTORY,
        "an existing folder, best on a tmpfs, in which clients of a Unix socket get large tensors",
    )
    shared_memory_mode: int = setting(
        0o600,
        FILE_MODE,
        "who may read the files in shared memory: 600 this user, 640 its group as well, "
        "644 everyone",
    )
    max_shared_memory_bytes: int = setting(
        2**34,
        size(),
        "what the files in shared memory may hold at a time; the rest goes through the socket",
    )
    shared_memory_idle_seconds: float = setting(
        30.0,
        SECONDS,
        "how long a file in shared memory that no call uses is kept, for late clients and as "
        "memory for other tensors",
    )
    admin_listen: str | None = setting(
        None,
        TCP_ADDRESS,
        "host:port of the admin endpoint, over HTTP: a status page, metrics for Prometheus, and "
        "probes, for all workers",
    )
    lame_duck_seconds: float = setting(
        5.0,
        SECONDS,
        "how long new calls are still answered after SIGTERM, while health says NOT_SERVING: "
        "until proxies have noticed",
    )
    grace_seconds: float = setting(
        30.0,
        SECONDS,
        "how long streams may go on after the lame duck's time; a second signal ends them at once",
    )
    tokens: Path | None = setting(
        None,
        FILE,
        "the hashes of the bearer tokens that callers must send, and whom they stand for; "
        "--new-token makes a line",
    )
    policy: Path | None = setting(
        None, FILE, "which RPCs each identity may call, and its quotas (YAML)"
    )
    reflection: bool = setting(True, SWITCH, "let clients ask for the schema")
    log_level: str = setting(
        "info", choice("debug", "info", "warning", "error"), "the least severe lines to log"
    )
    log_format: str = setting(
        "text", choice("text", "json"), "how to log: json writes one object a line"
    )
    tracing: bool = setting(
        False,
        SWITCH,
        "make an OpenTelemetry span of each call; the standard variables OTEL_* say where to send "
        "them",
    )
    max_request_message_bytes: int = setting(
        _LIMITS.max_request_message_bytes,
        size(most=LARGEST_MESSAGE_BYTES),
        "the largest request message",
    )
    max_tensors_per_request: int = setting(
        _LIMITS.max_tensors_per_request, integer(), "how many tensors a request may list"
    )
    max_tensor_bytes: int = setting(
        _LIMITS.max_tensor_bytes,
        size(),
        "the largest tensor as requested: its slice, where there is one",
    )
    max_request_bytes: int = setting(
        _LIMITS.max_request_bytes, size(), "all tensors of a request together"
    )
    max_orthogonal_elements: int = setting(
        _LIMITS.max_orthogonal_elements,
        integer(),
        "how many elements may be computed in one piece: an orthogonal matrix with those packed "
        "with it, or a line of a sparse tensor",
    )
    max_chunk_bytes: int = setting(
        _LIMITS.max_chunk_bytes, size(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES), "the largest chunk"
    )
    max_concurrent_streams: int = setting(
        _LIMITS.max_concurrent_streams, integer(), "how many streams may sample at the same time"
    )
    share_port: bool = False
    """Whether other processes listen on the same ports; the server's own workers, no setting."""

    @property
    def limits(self) -> Limits:
        """What the server refuses to go beyond, and reports; the contract sets the others."""
        return Limits(
            max_request_message_bytes=self.max_request_message_bytes,
            max_tensors_per_request=self.max_tensors_per_request,
            max_tensor_bytes=self.max_tensor_bytes,
            max_request_bytes=self.max_request_bytes,
            max_orthogonal_elements=self.max_orthogonal_elements,
            max_working_bytes=self.max_working_bytes,
            max_request_cost_seconds=self.max_request_cost_seconds,
            max_chunk_bytes=self.max_chunk_bytes,
            max_concurrent_streams=self.max_concurrent_streams,
            stream_idle_seconds=self.stream_idle_seconds,
            max_stream_seconds=self.max_stream_seconds,
        )


SETTINGS = tuple(
    Setting(field.name, field.default, **field.metadata)
    for field in dataclasses.fields(Settings)
    if field.metadata
)
"""What an operator can set, in the order of the help."""
