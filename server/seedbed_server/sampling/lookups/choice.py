"""The lookup of each rule, and its cost."""

from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.rules import Orthogonal, Sparse, Stft, WholeRule
from seedbed_server.sampling.lookups import orthogonal, sparse, stft
from seedbed_server.sampling.lookups.base import Cost, Lookup, Surroundings


def lookup_of(rule: WholeRule, surroundings: Surroundings) -> Lookup:
    """Return what the elements of a rule are looked up in."""
    match rule:
        case Orthogonal():
            return orthogonal.OrthogonalLookup(rule, surroundings)
        case Sparse():
            return sparse.SparseLookup(rule, surroundings)
        case Stft():
            return stft.StftLookup(rule, surroundings)


def cost_of(rule: WholeRule, request: TensorRequest) -> Cost:
    """Return what sampling a request takes."""
    part = request.slice or TensorSlice((0,) * len(request.shape), request.shape)
    if not request.element_count:
        return Cost(0, 0)
    match rule:
        case Orthogonal():
            return orthogonal.cost(rule, part, request.spec.dtype)
        case Sparse():
            return sparse.cost(rule, part)
        case Stft():
            return stft.cost(rule, part)


def piece_elements(rule: WholeRule) -> int:
    """Return how many elements must be computed, and held, together."""
    match rule:
        case Orthogonal(_, grid):
            return grid.interleaved * grid.block_elements
        case Sparse():
            return rule.line_elements
        case Stft():
            return 0
