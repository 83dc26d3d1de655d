"""Ways to a tensor's bytes: gRPC, bulk HTTP/2, replicas and mapped shared memory."""
