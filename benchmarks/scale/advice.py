"""What to deploy: the simplest way that starts a model in time."""

from dataclasses import replace

from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.models import Model
from benchmarks.scale.start import Start, replicas_for, start
from benchmarks.scale.ways import Way

SECONDS = 60.0
# Of the counts that are tried: 3, 4, 8. Beyond, a server on each host is less to run.
MOST_REPLICAS = 8
RANKS = (8, 64, 512, 4096, 100_000)


def advice(model: Model, fleet: Fleet, figures: Figures) -> Start:
    """Return the start to deploy: from the service while few replicas do, else on each host."""
    for way in (Way.WHOLE, Way.SHARDED):
        count = replicas_for(SECONDS, way, model, fleet, figures)
        if count is not None and count <= MOST_REPLICAS:
            return start(way, model, replace(fleet, replicas=count), figures)
    return start(Way.HOST, model, fleet, figures)


def replicas_text(advised: Start) -> str:
    """Return the servers of a start as people read them."""
    if advised.way is Way.HOST:
        hosts = advised.fleet.hosts
        return f"one a host ({hosts:,})"
    return str(advised.fleet.replicas)
