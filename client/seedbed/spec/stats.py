"""What a client has done so far, by server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReplicaStats:
    """What a client has asked of one server, and what came of it."""

    target: str
    """The server, as given to ``connect``."""
    tries: int
    """Calls that were made, counting each repetition."""
    failures: int
    """Tries that ended in an error that another try may not have."""
    resumes: int
    """Tries that went on where an earlier one had broken, here or at another replica."""
    hedges: int
    """Tries for a range that lagged at another replica."""
    bytes_received: int
    """Verified bytes of tensors."""
    is_set_aside: bool
    """Whether it is left out now, until it answers again."""


@dataclass(frozen=True, slots=True)
class ClientStats:
    """What a client has asked of its servers since it was made; the sums are over all of them."""

    replicas: tuple[ReplicaStats, ...]
    """Each server; none for the embedded engine, which is called without tries."""

    @property
    def tries(self) -> int:
        """Calls that were made, counting each repetition."""
        return sum(each.tries for each in self.replicas)

    @property
    def failures(self) -> int:
        """Tries that ended in an error that another try may not have."""
        return sum(each.failures for each in self.replicas)

    @property
    def resumes(self) -> int:
        """Tries that went on where an earlier one had broken."""
        return sum(each.resumes for each in self.replicas)

    @property
    def hedges(self) -> int:
        """Tries for a range that lagged at another replica."""
        return sum(each.hedges for each in self.replicas)

    @property
    def bytes_received(self) -> int:
        """Verified bytes of tensors."""
        return sum(each.bytes_received for each in self.replicas)
