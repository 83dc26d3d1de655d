"""Interfaces of older systems, under their own names: ``seedbed.compat.v1`` is TensorFlow 1's."""
