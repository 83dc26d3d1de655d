"""The contract that both sides of the wire use: what a request says and how its bytes travel.

Values (specs, slices, digests, limits) and pure functions on them. Nothing here knows of gRPC, of a
client or of a server; only :mod:`seedbed.wire.protos` knows the protobuf messages.
"""
