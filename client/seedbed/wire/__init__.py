"""Protobuf messages (:mod:`seedbed.wire.protos`) and the framing of chunks."""
