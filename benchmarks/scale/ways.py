"""The ways in which a model can reach its ranks, and what each asks of the machines."""

import enum
from dataclasses import dataclass

from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.models import Model

BITS = 8
MILLISECONDS = 1e-3


class Way(enum.Enum):
    """How a rank gets its parameters."""

    WHOLE = "the whole model from the service"
    SHARDED = "its own slices from the service"
    HOST = "from a server on its host"
    LOCAL = "sampled by itself, digests compared"
    LOCAL_GPU = "the same, on its GPU"


@dataclass(frozen=True, slots=True)
class Work:
    """What a start asks of the machines, all ranks together. A gigabyte has 10^9 bytes."""

    sent: float = 0.0
    """Gigabytes that leave the replicas."""
    replica_core_seconds: float = 0.0
    loop_core_seconds: float = 0.0
    """Those that only the event loops of the replicas can do."""
    balancer_core_seconds: float = 0.0
    host_core_seconds: float = 0.0
    """Of the ranks' own hosts."""
    gpu_seconds: float = 0.0
    """Of the ranks' own GPUs."""
    is_streamed: bool = False
    """Whether each rank holds a stream's place while it gets bytes."""


def work(way: Way, model: Model, fleet: Fleet, figures: Figures) -> Work:
    """Return what a way asks for."""
    needed = model.gigabytes * fleet.ranks / model.shard_ranks
    match way:
        case Way.WHOLE:
            return _served(model.gigabytes * fleet.ranks, model, fleet, figures)
        case Way.SHARDED:
            return _served(needed, model, fleet, figures)
        case Way.HOST:
            # Ranks of a host that need the same bytes map the same file.
            sampled = min(needed, model.gigabytes * fleet.hosts)
            core_seconds = sampled * figures.sampling + needed * figures.mapping
            return Work(host_core_seconds=core_seconds)
        case Way.LOCAL:
            checks = _digests(model, fleet, figures)
            core_seconds = needed * (figures.sampling + figures.digesting)
            return Work(
                replica_core_seconds=checks.replica_core_seconds, host_core_seconds=core_seconds
            )
        case Way.LOCAL_GPU:
            checks = _digests(model, fleet, figures)
            return Work(
                replica_core_seconds=checks.replica_core_seconds,
                host_core_seconds=needed * figures.digesting,
                gpu_seconds=needed / figures.gpu_sampling,
            )


def _served(gigabytes: float, model: Model, fleet: Fleet, figures: Figures) -> Work:
    """Return the work of sampling bytes in replicas and sending them to ranks.

    Ranks that ask at the same time can share what is sampled; that is not counted on.
    """
    tls = fleet.has_tls
    serving = figures.sampling + figures.serving + (figures.serving_tls if tls else 0.0)
    receiving = figures.receiving + (figures.receiving_tls if tls else 0.0)
    passing = figures.balancing if fleet.balancers else 0.0
    return Work(
        sent=gigabytes,
        replica_core_seconds=gigabytes * serving + _calls(model, fleet, figures),
        loop_core_seconds=gigabytes * figures.serving_on_loop,
        balancer_core_seconds=gigabytes * passing,
        host_core_seconds=gigabytes * receiving,
        is_streamed=True,
    )


def _digests(model: Model, fleet: Fleet, figures: Figures) -> Work:
    """Return the work of giving each rank the digests of what it has sampled.

    Each replica samples a slice when it is first asked for, and then has its digest.
    """
    copies = min(fleet.replicas, fleet.ranks / model.shard_ranks)
    sampling = copies * model.gigabytes * (figures.sampling + figures.digesting)
    return Work(replica_core_seconds=sampling + _calls(model, fleet, figures))


def _calls(model: Model, fleet: Fleet, figures: Figures) -> float:
    """Return the core seconds of one call of each rank, beside its bytes."""
    handshake = figures.handshake if fleet.has_tls else 0.0
    each = figures.call + handshake + figures.listed_tensor * model.tensors
    return fleet.ranks * each * MILLISECONDS
