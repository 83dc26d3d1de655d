"""Proves the GPU backend on a device in one run: ``make gpu-check``."""
