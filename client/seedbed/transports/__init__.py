"""Ways to a tensor's bytes: servers by gRPC and bulk HTTP/2, several replicas, mapped shared memory."""
