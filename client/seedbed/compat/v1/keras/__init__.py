"""The names of ``tf.compat.v1.keras`` that are about initializers."""

from seedbed.compat.v1.keras import initializers

__all__ = ["initializers"]
