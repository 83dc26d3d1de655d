"""How fast seedbed is, beside what else people use, in one table: ``make bench``, or ``python -m benchmarks``."""
