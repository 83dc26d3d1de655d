"""The sampling core, from a tensor spec to its elements. Pure: no gRPC, no protobuf."""
