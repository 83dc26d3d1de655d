"""What gRPC is told of a server's connections: how long they live, and how much one may hold."""

import resource

# Calls that a connection may have open. A call that its client reset counts until Python has seen
# it, so this also bounds what a flood of resets takes: about 20 KB a call. RFC 9113 advises
# against less.
MAX_STREAMS = 100
# Of calls that wait for Python, over all connections. Beyond, gRPC refuses at random, also those
# of clients that keep the rules: only hundreds of connections that flood come so far.
MAX_PENDING_CALLS = 20_000

# A peer that is gone without a word is noticed after their sum. The second is also how long bytes
# may wait to be taken (gRPC makes it the socket's TCP_USER_TIMEOUT): a reader may pause so long.
KEEPALIVE_MS = 60_000
KEEPALIVE_TIMEOUT_MS = 120_000
# Until then a connection must have begun to speak HTTP/2, and have acknowledged our settings:
# before, gRPC holds it to no limit of headers.
HANDSHAKE_TIMEOUT_MS = 10_000
SETTINGS_TIMEOUT_MS = 20_000
# Clients connect again by themselves when they need to.
MAX_IDLE_MS = 600_000
# Requests are small, and gRPC's default of megabytes a read costs memory for each that floods.
READ_BUFFER_BYTES = 2**16

# No server needs more, and some systems allow a billion.
MOST_FILES = 2**16


def allow_many_connections() -> None:
    """Let this process, and those it starts, open as many files as the system allows."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(most, MOST_FILES)
    if files != resource.RLIM_INFINITY and files < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def max_connections(listeners: int) -> int:
    """Return how many connections each of some listeners may hold.

    Half of the process's files: without descriptors a server could neither answer those that are
    connected, nor show metrics.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, (MOST_FILES if files == resource.RLIM_INFINITY else files) // 2 // listeners)


def connection_options(listeners: int, *, share_port: bool) -> list[tuple[str, int]]:
    """Return gRPC's arguments.

    Args:
        listeners: on how many addresses the server listens.
        share_port: whether other processes listen on the same ports.
    """
    return [
        # Two servers must never share a port by accident.
        ("grpc.so_reuseport", int(share_port)),
        ("grpc.max_allowed_incoming_connections", max_connections(listeners)),
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_TIMEOUT_MS),
        ("grpc.http2.settings_timeout", SETTINGS_TIMEOUT_MS),
        ("grpc.max_connection_idle_ms", MAX_IDLE_MS),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        # Clients look after idle connections with pings; gRPC's default answer to that is GOAWAY.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.server.max_pending_requests", MAX_PENDING_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", 2 * MAX_PENDING_CALLS),
        ("grpc.experimental.tcp_max_read_buffer_size", READ_BUFFER_BYTES),
    ]
