"""The gRPC side of the server: application, servicer, validation, statuses, metrics."""
