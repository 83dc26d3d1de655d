"""What the processes of one server take of the machine, as ``process_*`` metrics."""

from collections.abc import Iterable, Mapping
from functools import cache

from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector


class ProcessMetrics(Collector):
    """Reads ``/proc`` whenever it is asked, also for processes other than its own.

    Args:
        pids: by name; a process without one is the only one, and its metrics have no label. What
            is added later is seen.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of all processes; those of one that has ended are missing."""
        families: dict[str, Metric] = {}
        for name, pid in list(self._pids.items()):
            labels = {"process": name} if name else {}
            for one in _collector(pid).collect():
                metric = families.setdefault(
                    one.name, Metric(one.name, one.documentation, one.type)
                )
                for sample in one.samples:
                    metric.add_sample(sample.name, labels, sample.value)
        return families.values()


@cache
def _collector(pid: int) -> ProcessCollector:
    # The package allows None, and annotates it.
    return ProcessCollector(pid=lambda: pid, registry=None)
