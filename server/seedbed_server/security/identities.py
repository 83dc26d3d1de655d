"""Identities: the names by which callers are known, from a token's entry or a certificate."""

import re
from collections.abc import Iterable, Mapping

UNIX = "unix"
"""Whoever comes by a Unix socket where certificates are asked for: the socket's mode let them."""

# Visible ASCII, so that it is one word in a log and in a file; not a comment.
NAME = re.compile(r"(?!#)[!-~]{1,256}")
NAME_WORDS = "1 to 256 visible ASCII characters, no spaces, not # at first"

# How a peer is called that has an identity, beside addresses.
PEER_PREFIX = "identity:"

# Where gRPC's auth context has a certificate's names, the first to be looked at first.
CERTIFICATE_NAMES = ("peer_uri", "peer_dns", "x509_common_name")


def is_name(text: str) -> bool:
    """Return whether a text may be an identity that a token or a certificate gives."""
    return NAME.fullmatch(text) is not None and text != UNIX


def certificate_identity(names: Mapping[str, Iterable[bytes]]) -> str | None:
    """Return the identity of a verified client certificate; None if it has no usable name.

    Args:
        names: gRPC's auth context. Of its names, the first URI counts (a SPIFFE ID is one), else
            the first DNS name, else the common name.
    """
    for kind in CERTIFICATE_NAMES:
        for name in names.get(kind, ()):
            text = name.decode("ascii", "replace")
            if is_name(text):
                return text
    return None


def peer_of_identity(identity: str) -> str:
    """Return whose shares and turns an identity's calls take."""
    return PEER_PREFIX + identity


def identity_of_peer(peer: str) -> str | None:
    """Return the identity of a peer; None where it is an address."""
    return peer.removeprefix(PEER_PREFIX) if peer.startswith(PEER_PREFIX) else None
