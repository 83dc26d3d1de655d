"""The tables of docs/scaling.md."""

import dataclasses

from benchmarks.scale.advice import RANKS, advice, replicas_text
from benchmarks.scale.figures import Figures
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.models import MODELS
from benchmarks.scale.start import start
from benchmarks.scale.texts import duration, table, volume
from benchmarks.scale.ways import Way


def deployments(figures: Figures) -> str:
    """Return what to deploy, by model and ranks."""
    rows = []
    for model in MODELS:
        for ranks in filter(model.fits, RANKS):
            advised = advice(model, Fleet(ranks), figures)
            rows.append(
                [
                    model.name,
                    f"{ranks:,}",
                    advised.way.value,
                    replicas_text(advised),
                    duration(advised.seconds),
                    advised.limit.value,
                ]
            )
    header = ["model", "ranks", "each rank gets", "servers", "all ready after", "limited by"]
    return table(header, rows)


def ways(figures: Figures) -> str:
    """Return how long each way takes from three replicas, and what limits it."""
    rows = []
    for model in MODELS:
        for way in Way:
            if way is Way.SHARDED and model.shard_ranks == 1:
                continue  # no slices: the whole again
            fitting = list(filter(model.fits, RANKS))
            starts = [start(way, model, Fleet(ranks), figures) for ranks in fitting]
            last = starts[-1]
            rows.append(
                [
                    model.name,
                    way.value,
                    *[""] * (len(RANKS) - len(starts)),
                    *(duration(each.seconds) for each in starts),
                    last.limit.value,
                    volume(last.work.sent),
                ]
            )
    header = ["model", "each rank gets", *(f"{ranks:,}" for ranks in RANKS)]
    return table([*header, "limited by", "sent in all"], rows)


def balanced(figures: Figures) -> str:
    """Return how fast the service can be with more replicas, behind one balancer and without."""
    rows = []
    for model in MODELS:
        for ranks in filter(model.fits, RANKS[2:4]):
            for replicas in (3, 12, 48):
                starts = [
                    start(Way.SHARDED, model, Fleet(ranks, replicas, balancers=count), figures)
                    for count in (0, 1)
                ]
                cells = [f"{duration(each.seconds)} ({each.limit.value})" for each in starts]
                rows.append([model.name, f"{ranks:,}", str(replicas), *cells])
    header = ["model", "ranks", "replicas", "clients connect to them", "through one balancer"]
    return table(header, rows)


def figures_used(figures: Figures) -> str:
    """Return the figures, where they come from, and which of them nobody has measured."""
    rows = []
    for field in dataclasses.fields(Figures):
        said = field.metadata
        value = getattr(figures, field.name)
        origin, source = said["origin"], said["source"]
        if value != field.default:
            origin, source = "given", "--figure"
        rows.append([f"`{field.name}`", f"{value:g} {said['unit']}", origin, source])
    return table(["figure", "value", "", "from"], rows)
