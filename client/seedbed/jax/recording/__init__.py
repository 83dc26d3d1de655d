"""What a function that makes a model would fill each leaf with, read from its traced program.

The modules, each of which uses those before it: ``programs`` (a traced program as a graph of
values), ``draws`` (the calls in it that draw random numbers), ``evaluation`` (running all else),
``units`` (draws with the same key are the same numbers), ``fillings`` (a value as a tensor of
seedbed), ``contents`` (all leaves together), ``recorder`` (tracing).
"""

from seedbed.jax.recording.contents import (
    Computed,
    Content,
    Full,
    Keys,
    Sampled,
    prefixed,
    texts_of_leaves,
)
from seedbed.jax.recording.recorder import Recording, record

__all__ = [
    "Computed",
    "Content",
    "Full",
    "Keys",
    "Recording",
    "Sampled",
    "prefixed",
    "record",
    "texts_of_leaves",
]
