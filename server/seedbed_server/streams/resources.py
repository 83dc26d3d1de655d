"""The resources that the streams of one process share."""

from dataclasses import dataclass, field

from seedbed_server.streams.inflight import InflightBytes
from seedbed_server.streams.loop_turns import LoopTurns
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.segment_folder import SegmentFolder
from seedbed_server.streams.shared_tensors import SharedTensors


@dataclass(frozen=True, slots=True)
class StreamResources:
    """What the streams of one process share."""

    threads: SamplingThreads
    """Who samples."""
    tensors: SharedTensors
    """What is being read."""
    inflight: InflightBytes
    """How many more bytes may be under way."""
    segments: SegmentFolder | None = None
    """Where large tensors are put for clients on this host; None is nowhere."""
    loop_turns: LoopTurns = field(default_factory=LoopTurns)
    """Who may use the loop."""

    @property
    def held_bytes(self) -> dict[str, int]:
        """How many bytes of each budget are in use."""
        held = {"inflight_bytes": self.inflight.held, "working_bytes": self.threads.working.held}
        shared = {"shared_memory_bytes": self.segments.held_bytes} if self.segments else {}
        return held | shared

    @property
    def most_bytes(self) -> dict[str, int]:
        """How many bytes each budget has."""
        most = {"inflight_bytes": self.inflight.total, "working_bytes": self.threads.working.total}
        shared = {"shared_memory_bytes": self.segments.max_bytes} if self.segments else {}
        return most | shared

    @property
    def waiting(self) -> dict[str, int]:
        """How many jobs wait, by lane."""
        return {"loop": self.loop_turns.waiting, **self.threads.waiting}
