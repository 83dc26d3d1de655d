"""Lookups, for elements that do not follow from their own word alone."""

from seedbed_server.sampling.lookups.base import Cost, Lookup
from seedbed_server.sampling.lookups.choice import cost_of, lookup_of, piece_elements

__all__ = ["Cost", "Lookup", "cost_of", "lookup_of", "piece_elements"]
