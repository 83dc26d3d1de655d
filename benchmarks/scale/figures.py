"""What a gigabyte, a call and a handshake cost: the figures that the calculation rests on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

MEASURED, ASSUMED = "measured", "assumed"
PERFORMANCE = "docs/performance.md"
MEASURE = "python -m benchmarks.scale.measure"


def _figure(value: float, unit: str, origin: str, source: str) -> Any:
    metadata = {"unit": unit, "origin": origin, "source": source}
    return dataclasses.field(default=value, metadata=metadata)


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Costs on one virtual core of a 2.5 GHz Cascade Lake. A gigabyte has 10^9 bytes."""

    sampling: float = _figure(1.15, "core s/GB", MEASURED, f"{PERFORMANCE}, normal bfloat16")
    """To sample a normal in bfloat16, one of the slower cases."""
    serving: float = _figure(0.9, "core s/GB", MEASURED, f"{PERFORMANCE}, what limits them")
    """To send it over TCP, digests included, on the server."""
    serving_on_loop: float = _figure(0.6, "core s/GB", ASSUMED, "Python and half of gRPC of it")
    """What of that is the event loop's: one core of each worker."""
    serving_tls: float = _figure(0.335, "core s/GB", MEASURED, MEASURE)
    """To encrypt it, on the server."""
    receiving: float = _figure(0.45, "core s/GB", MEASURED, f"{PERFORMANCE}, what limits them")
    """To receive and check it, in the client."""
    receiving_tls: float = _figure(0.82, "core s/GB", MEASURED, MEASURE)
    """To decrypt it, in the client, with what gRPC copies more than our reader."""
    mapping: float = _figure(0.07, "core s/GB", MEASURED, f"{PERFORMANCE}, shared memory")
    """To map it from shared memory, in the client."""
    digesting: float = _figure(0.1, "core s/GB", MEASURED, f"{PERFORMANCE}, XXH3-128")
    """To compute a digest of bytes that are there."""
    balancing: float = _figure(0.8, "core s/GB", ASSUMED, "HAProxy with TLS on both sides")
    """To pass it on, in a balancer."""
    call: float = _figure(0.8, "core ms", MEASURED, MEASURE)
    """Of a server, for one call."""
    listed_tensor: float = _figure(0.048, "core ms", MEASURED, MEASURE)
    """Of a server, for one more tensor in a call."""
    handshake: float = _figure(0.45, "core ms", MEASURED, MEASURE)
    """Of a server, for one TLS connection."""
    gpu_sampling: float = _figure(200.0, "GB/s", ASSUMED, "by its arithmetic, on an H100")
    """Sampled by one GPU."""
    start: float = _figure(1.6, "s", MEASURED, f"{PERFORMANCE}, start with compiled kernels")
    """Until an engine can sample, its kernels compiled before."""
    longest_retry: float = _figure(5.0, "s", MEASURED, "docs/operations.md, fair shares")
    """What a client that is refused waits at most."""

    @classmethod
    def with_changes(cls, changes: Mapping[str, float]) -> "Figures":
        """Return the figures with some of the reader's own.

        Raises:
            ValueError: naming a figure that there is not, or that is not above 0.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(
                    f"there is no figure {name!r}; there are {', '.join(sorted(known))}"
                )
            if not value > 0:
                raise ValueError(f"{name} must be above 0. Received: {value}")
        return cls(**changes)
