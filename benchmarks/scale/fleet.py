"""The machines of a start: the hosts of the ranks, the replicas, and a balancer between them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fleet:
    """What there is. The defaults are usual sizes of 2025 and 2026."""

    ranks: int
    """Processes that start, one for each GPU."""
    replicas: int = 3
    """Servers that all ranks may ask."""
    has_tls: bool = True
    """Whether what leaves a host is encrypted."""
    balancers: int = 0
    """Proxies between ranks and replicas; 0 where clients connect to the replicas themselves."""
    ranks_per_host: int = 8
    host_cores: int = 96
    host_gigabits: float = 100.0
    """Of the network for data, not the one between GPUs."""
    replica_cores: int = 16
    replica_workers: int = 8
    replica_gigabits: float = 25.0
    replica_places: int = 4096
    """Streams that each worker of a replica takes at a time (--max-concurrent-streams)."""
    balancer_cores: int = 32
    balancer_gigabits: float = 100.0

    @property
    def hosts(self) -> int:
        """How many hosts the ranks fill."""
        return -(-self.ranks // self.ranks_per_host)

    @property
    def places(self) -> int:
        """Streams that all replicas take at a time."""
        return self.replicas * self.replica_workers * self.replica_places
