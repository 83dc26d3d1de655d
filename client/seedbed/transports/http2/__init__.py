"""Bulk gRPC calls over our own HTTP/2: one at a time on a connection.

The bytes are read to where they belong. gRPC for Python copies each byte of a message four times
before we see it: a fetch of large tensors took more processor time for that than for sampling. What
lies here speaks the same protocol to the same servers (RFC 9113; RFC 7541 by the hpack package;
gRPC's PROTOCOL-HTTP2.md), and reads from the socket into the array. Calls come this way
without TLS, unless target or options ask for what only gRPC can do. See docs/decisions/0013 and
0026.
"""
