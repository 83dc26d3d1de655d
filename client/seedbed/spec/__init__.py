"""Tensors as values: shapes, dtypes, initializers, seeds, slices, digests, limits, and pure functions on them.

Both sides of the wire use them. Nothing here knows protobuf, gRPC, a client or a server.
"""
