"""How much each benchmark moves: the published sizes, and tiny ones for a quick try."""

from dataclasses import dataclass

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of all benchmarks; the defaults are the published ones."""

    sampling_bytes: int = 256 * MIB
    """What is sampled in one process."""
    fetch_bytes: int = GIB
    """What one client fetches."""
    message_bytes: int = 2 * MIB
    """The messages of a bare stream: as large as seedbed's chunks."""
    flight_batch_bytes: tuple[int, ...] = (64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB)
    """The batch sizes that Arrow Flight tries before it takes its best."""
    small_tensor_elements: int = 64
    """The elements of each tensor of the model of small tensors."""
    latency_calls: int = 1000
    """Calls in one turn of the latency benchmark."""
    orthogonal_rows: int = 2048
    """Rows, and columns, of the orthogonal matrix."""
    stream_bytes: int = 8 * GIB
    """What streams while the server's memory is watched."""
    client_bytes: int = 256 * MIB
    """What each of several clients fetches."""
    first_starts: int = 3
    """The most starts without compiled kernels: they are slow."""


SMOKE = Sizes(
    sampling_bytes=MIB,
    fetch_bytes=4 * MIB,
    flight_batch_bytes=(64 * KIB, MIB),
    latency_calls=20,
    orthogonal_rows=64,
    stream_bytes=64 * MIB,
    client_bytes=4 * MIB,
    first_starts=1,
)


def size_text(size_bytes: int) -> str:
    """Return a size in the largest unit that gives a whole number."""
    unit, name = next(
        (unit, name)
        for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"))
        if size_bytes % unit == 0
    )
    return f"{size_bytes // unit} {name}"
