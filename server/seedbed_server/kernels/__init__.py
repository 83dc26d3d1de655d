"""The arithmetic of the numerics contract `seedbed-1`, one element at a time.

Every function that decides a bit of a random tensor is in this package, written once in Python and
compiled by numba for the processor at hand. The package imports nothing else of seedbed.

What keeps the bits equal everywhere (see docs/numerics.md): integers, conversions, ``+ - * /``,
square roots and explicit ``fma`` only; no mathematical library, no fast-math, and no product that
feeds a plain addition, because a compiler may or may not contract that pair.
"""
