"""The limit of a start: what is busy longest decides.

The asymptotic bound of Denning and Buzen 1978, doi:10.1145/356733.356735: no start is faster. One
comes close to it where work is spread evenly, as where all ranks do the same.
"""

import enum
from collections.abc import Mapping

from benchmarks.scale.fleet import Fleet
from benchmarks.scale.ways import BITS, Work


class Limit(enum.Enum):
    """What decides how long a start takes."""

    REPLICA_PROCESSOR = "replicas' processors"
    REPLICA_LOOP = "replicas' event loops"
    REPLICA_NETWORK = "replicas' network"
    BALANCER_PROCESSOR = "balancer's processor"
    BALANCER_NETWORK = "balancer's network"
    HOST_PROCESSOR = "hosts' processors"
    HOST_NETWORK = "hosts' network"
    GPU = "GPUs"


def busy_seconds(asked: Work, fleet: Fleet) -> Mapping[Limit, float]:
    """Return how long each is busy with all of a start's work."""
    sent_gigabits = asked.sent * BITS
    seconds = {
        Limit.REPLICA_PROCESSOR: asked.replica_core_seconds
        / (fleet.replicas * fleet.replica_cores),
        Limit.REPLICA_LOOP: asked.loop_core_seconds / (fleet.replicas * fleet.replica_workers),
        Limit.REPLICA_NETWORK: sent_gigabits / (fleet.replicas * fleet.replica_gigabits),
        Limit.HOST_PROCESSOR: asked.host_core_seconds / (fleet.hosts * fleet.host_cores),
        Limit.HOST_NETWORK: sent_gigabits / (fleet.hosts * fleet.host_gigabits),
        Limit.GPU: asked.gpu_seconds / fleet.ranks,
    }
    if fleet.balancers:
        seconds[Limit.BALANCER_PROCESSOR] = asked.balancer_core_seconds / (
            fleet.balancers * fleet.balancer_cores
        )
        seconds[Limit.BALANCER_NETWORK] = sent_gigabits / (
            fleet.balancers * fleet.balancer_gigabits
        )
    return seconds
