"""Opens a gRPC channel to a target, with the settings of its connection."""

import json
from collections.abc import Mapping

import grpc
import grpc.experimental

from seedbed.transports.trust import Trust

# A connection on which nothing moves is asked for a sign of life, so that a host that vanished is
# noticed.
KEEPALIVE_SECONDS = 20
KEEPALIVE_TIMEOUT_SECONDS = 10

DEFAULT_OPTIONS: dict[str, int | str] = {
    "grpc.keepalive_time_ms": KEEPALIVE_SECONDS * 1000,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_SECONDS * 1000,
    "grpc.http2.max_pings_without_data": 0,
    # Fewer, larger HTTP/2 frames: each costs a callback. 16 MiB - 1 is the protocol's largest.
    "grpc.http2.max_frame_size": 2**24 - 1,
    # A server that comes back is found within seconds; gRPC would wait up to two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.min_reconnect_backoff_ms": 4000,  # its limit for a connection that is being made
    # Of a name with several addresses, calls take turns.
    "grpc.service_config": json.dumps({"loadBalancingConfig": [{"round_robin": {}}]}),
    # Channels with equal settings would share one connection, and its one flow-control window.
    "grpc.use_local_subchannel_pool": 1,
}

# The thread that reads a stream also waits for it. Otherwise each call starts one, which hands over
# its messages. Not for the user to change: seedbed.transports.grpc_calls counts on it.
SINGLE_THREADED = grpc.experimental.ChannelOptions.SingleThreadedUnaryStream


def open_channel(
    target: str,
    options: Mapping[str, int | str],
    *,
    trust: Trust | None = None,
    server_name: str | None = None,
    has_secret: bool = False,
) -> grpc.Channel:
    """Return a channel; it connects at its first call.

    Args:
        target: the server's address, as given to ``connect``.
        options: gRPC channel arguments.
        trust: what it is secured with; None is a plain channel.
        server_name: whom the server's certificate must be for, if not the target's host.
        has_secret: whether calls have a token.
    """
    all_options = {**DEFAULT_OPTIONS, **options, SINGLE_THREADED: 1}
    if trust is None:
        if has_secret:  # it was allowed since it does not leave this host
            all_options["grpc.enable_http_proxy"] = 0
        return grpc.insecure_channel(target, options=list(all_options.items()))
    if server_name is not None:
        all_options["grpc.ssl_target_name_override"] = server_name
    credentials = grpc.ssl_channel_credentials(trust.roots, trust.key, trust.cert)
    return grpc.secure_channel(target, credentials, list(all_options.items()))
