"""One start, from what there is to when all ranks are ready, and the replicas that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.limits import Limit, busy_seconds
from benchmarks.scale.models import Model
from benchmarks.scale.simulation import Crowd, Outcome, simulate
from benchmarks.scale.ways import BITS, Way, Work, work

# A job's ranks come within some seconds of each other.
ARRIVAL_SECONDS = 2.0
MOST_REPLICAS = 4096


@dataclass(frozen=True, slots=True)
class Start:
    """How a start goes."""

    way: Way
    model: Model
    fleet: Fleet
    work: Work
    busy: Mapping[Limit, float]
    outcome: Outcome
    seconds: float
    """Until the last rank is ready."""

    @property
    def limit(self) -> Limit:
        """What is busy longest."""
        return max(self.busy, key=lambda each: self.busy[each])


def start(way: Way, model: Model, fleet: Fleet, figures: Figures) -> Start:
    """Return how a start goes."""
    asked = work(way, model, fleet, figures)
    busy = busy_seconds(asked, fleet)
    crowd = Crowd(
        ranks=fleet.ranks,
        arrival_seconds=ARRIVAL_SECONDS,
        lone_seconds=_lone_seconds(asked, fleet),
        busy_seconds=max(busy.values()),
        places=fleet.places if asked.is_streamed else fleet.ranks,
        retry_seconds=figures.longest_retry,
    )
    outcome = simulate(crowd)
    # The service runs already; an engine on the rank's own host starts with it.
    first = 0.0 if asked.is_streamed else figures.start
    return Start(way, model, fleet, asked, busy, outcome, first + outcome.seconds)


def replicas_for(
    seconds: float, way: Way, model: Model, fleet: Fleet, figures: Figures
) -> int | None:
    """Return the fewest replicas, a power of two or three, that start in time; None is never."""
    count = 3
    while count <= MOST_REPLICAS:
        if start(way, model, replace(fleet, replicas=count), figures).seconds <= seconds:
            return count
        count = count + 1 if count == 3 else 2 * count
    return None


def _lone_seconds(asked: Work, fleet: Fleet) -> float:
    """Return how long a rank takes that has a worker, its host and the network to itself."""
    each = 1.0 / fleet.ranks
    gigabits = min(fleet.replica_gigabits, fleet.host_gigabits)
    cores = fleet.replica_cores / fleet.replica_workers
    return max(
        asked.sent * each * BITS / gigabits,
        asked.replica_core_seconds * each / cores,
        asked.loop_core_seconds * each,
        asked.host_core_seconds * each / (fleet.host_cores / fleet.ranks_per_host),
        asked.gpu_seconds * each,
    )
