"""The metrics that the status is made of; the service declares them."""

STARTED = "grpc_server_started"
HANDLED = "grpc_server_handled"
HANDLING_SECONDS = "grpc_server_handling_seconds"
FIRST_CHUNK_SECONDS = "seedbed_time_to_first_chunk_seconds"

SERVED = "seedbed_bytes_served"
SAMPLED = "seedbed_bytes_sampled"
REJECTED = "seedbed_rejected"

STREAMS = "seedbed_inflight_streams"
HELD = "seedbed_held"
LIMIT = "seedbed_limit"
WAITING = "seedbed_waiting"

SERVING = "seedbed_serving"
"""How many processes serve: 1 in each that does."""
THREADS = "seedbed_threads"
BUILD = "seedbed_build_info"
CERTIFICATE_EXPIRES = "seedbed_tls_certificate_expires_timestamp_seconds"
