"""What an operator can set, with its default."""

from dataclasses import dataclass, field
from pathlib import Path

from seedbed.spec.info import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server runs."""

    listen: tuple[str, ...] = ("127.0.0.1:50051",)
    """Where to listen: ``host:port`` (port 0: a free one) or ``unix:///path``."""
    device: str = "auto"
    """What samples: ``auto``, ``cpu``, ``gpu`` or ``gpu:N``."""
    threads: int | None = None
    """Threads that sample; None is one for each processor."""
    default_chunk_bytes: int = 2**21
    """Bytes of data in a chunk where the client asks for nothing else."""
    window_bytes: int = 32 * 2**20
    """How much of what was sent is kept for other streams that read the same tensors at the same time."""
    max_inflight_bytes: int = 2**29
    """How many bytes of sampled chunks the process may hold for its streams at a time."""
    queue_seconds: float = 5.0
    """How long a stream waits for a place before it is refused."""
    shared_memory_dir: Path | None = None
    """Where tensors are put for clients on the same host; None is nowhere."""
    shared_memory_mode: int = 0o600
    """Who may read them: the mode of the files."""
    max_shared_memory_bytes: int = 2**34
    """How much they may hold at a time."""
    shared_memory_idle_seconds: float = 30.0
    """How long what no call uses is kept."""
    metrics_listen: str | None = None
    """Where Prometheus can read metrics, ``host:port``; None is nowhere."""
    grace_seconds: float = 30.0
    """How long streams may go on after SIGTERM."""
    share_port: bool = False
    """Whether other processes of this server listen on the same ports."""
    reflection: bool = True
    """Whether clients can ask for the schema (grpc.reflection.v1alpha)."""
    limits: Limits = field(default_factory=Limits)
    """What the server refuses to go beyond."""
