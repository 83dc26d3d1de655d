"""From a tensor spec to its elements: plans, rules, lookups. Pure: no gRPC, no protobuf."""
