"""A second, slow implementation of `seedbed-1`, written from docs/numerics.md alone.

Values are Python floats that are exact in the format at hand, and every operation is done on
integers and rounded once.
"""
