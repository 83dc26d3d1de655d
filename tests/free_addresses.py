"""Addresses on which nobody listens, until a test does."""

import random
import socket

# Below the ports that the kernel gives to connections: one to a port of those, while nobody listens
# there, may be given the same port at its own end, be connected to itself and hold the port.
PORTS = range(20_000, 32_000)


def free_address() -> str:
    """Return an address on which nobody listens, and that no connection is given."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:  # somebody has it
                continue
            return f"127.0.0.1:{port}"
    raise AssertionError("all ports are taken")


def free_addresses(count: int) -> list[str]:
    """Return different ones."""
    found: set[str] = set()
    while len(found) < count:
        found.add(free_address())
    return sorted(found)
