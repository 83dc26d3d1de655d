"""What runs in the contenders' processes: a module for each library and task.

A module for :mod:`benchmarks.work` has ``actions(**settings)``: what it can do, by name. One that
serves is a program.
"""
