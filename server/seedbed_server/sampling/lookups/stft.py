"""Kernels of Fourier transforms: products of two table entries, by row and by angle."""

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.slices import TensorSlice
from seedbed_server.backends.base import SamplingCancelledError
from seedbed_server.backends.rules import Stft
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.stft import scaled_window, stft_values, wave
from seedbed_server.sampling.lookups.base import Cost, Surroundings, round_matrix

TILE_ELEMENTS = 2**16
"""Elements that are filled at a time."""
_BYTES_PER_ENTRY = 80  # an integer of 256 bits, and the reference to it
_BYTES_PER_TILE_ELEMENT = 160
_SECONDS_PER_ELEMENT = 4e-7
_SECONDS_PER_ENTRY = 4e-6


def cost(rule: Stft, part: TensorSlice) -> Cost:
    """Return what a part of the kernel takes: its elements, and the tables."""
    elements = part.lengths[0] * part.lengths[2]
    entries = 2 * rule.frame_length + _points(rule)
    return Cost(
        elements,
        _BYTES_PER_ENTRY * entries + _BYTES_PER_TILE_ELEMENT * min(TILE_ELEMENTS, elements),
        _SECONDS_PER_ENTRY * entries + _SECONDS_PER_ELEMENT * elements,
    )


def _points(rule: Stft) -> int:
    return 2 * (rule.bins - 1)


class StftLookup:
    """The tables of one kernel."""

    def __init__(self, rule: Stft, surroundings: Surroundings) -> None:
        self._rule = rule
        self._in = surroundings

    def fill(self, runs: Runs, out: NDArray[np.uint8]) -> None:
        """Write the elements of the runs, one after another.

        Raises:
            SamplingCancelledError: if that is what became of it.
        """
        rule = self._rule
        window = scaled_window(rule.window, rule.scaling, rule.frame_length, periodic=rule.periodic)
        if self._in.is_cancelled():
            raise SamplingCancelledError
        waves = wave(rule.side, _points(rule))
        elements = out.view(self._in.dtype.numpy)
        for first in range(0, elements.size, TILE_ELEMENTS):
            if self._in.is_cancelled():
                raise SamplingCancelledError
            end = min(first + TILE_ELEMENTS, elements.size)
            frames, bins = np.divmod(runs.part(first, end).indices().astype(np.int64), rule.bins)
            elements[first:end] = round_matrix(
                stft_values(frames, bins, window, waves), self._in.dtype
            )

    def core_seconds(self, count: int, run_elements: int) -> float:
        """Return about how long filling takes at most; tables of other tensors may be kept."""
        del run_elements
        cost = self._in.cost
        tables = cost.core_seconds - _SECONDS_PER_ELEMENT * cost.sampled_elements
        return tables + _SECONDS_PER_ELEMENT * count
