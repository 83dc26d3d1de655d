"""How tensors travel: messages (:mod:`seedbed.wire.protos`) and the parts of streams.

Client and server share it, and its names may change with any release. For raw streams, use the
generated stubs of :mod:`seedbed.v1`, which change only as docs/protocol.md allows;
:meth:`seedbed.Client.chunks` gives bytes that are verified.
"""
