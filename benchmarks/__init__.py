"""Benchmarks of seedbed beside its peers: ``make bench``, or ``python -m benchmarks``."""
