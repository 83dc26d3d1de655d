"""How requests and tensors travel: the protobuf messages (:mod:`seedbed.wire.protos`) and the framing of chunks."""
