"""Tensors as values, and pure functions on them.

Shapes, dtypes, initializers, seeds, slices, digests and limits are values, too. Both sides of the
wire use them. Nothing here knows protobuf, gRPC, a client or a server.
"""
