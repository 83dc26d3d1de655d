"""Everything that knows gRPC: the application, the servicer, validation, statuses, metrics, workers."""
