"""Certificates and keys, read from the files that a Tls names."""

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from seedbed.errors import InvalidValueError
from seedbed.spec.errors import Words, bad_value
from seedbed.spec.tls import Tls

# Where systems keep the certificates of the authorities that they trust: the ssl module knows its
# OpenSSL's place, which a Python built elsewhere does not share with the system.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
# Bundles have comments, too, in any encoding.
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")

# Both sides of gRPC insist on it (RFC 7301).
ALPN = "h2"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a client trusts, and with what it shows who it is."""

    context: ssl.SSLContext
    """For the handshakes that find out why a server does not speak."""
    roots: bytes
    """The certificates of trusted authorities, as gRPC takes them."""
    cert: bytes | None
    """The client's own certificate."""
    key: bytes | None
    """Its key."""

    def __repr__(self) -> str:
        return "<Trust>"


def read_trust(tls: Tls) -> Trust:
    """Return what the files hold.

    Raises:
        InvalidValueError: naming the argument whose file cannot be read, or used.
    """
    roots = system_roots() if tls.ca is None else _certificates("tls.ca", tls.ca)
    try:
        context = context_of(roots)
    except (ssl.SSLError, ValueError) as error:
        raise _unfit("tls.ca", "certificates", tls.ca or "the system's", error) from None
    if tls.cert is None or tls.key is None:
        return Trust(context, roots, None, None)
    cert, key = _content("tls.cert", tls.cert), _content("tls.key", tls.key)
    try:
        # OpenSSL would ask at the terminal for the password of a key that has one.
        context.load_cert_chain(tls.cert, tls.key, password="")
    except (ssl.SSLError, ValueError, OSError) as error:
        allowed = f"the key, without a password, of the certificate in {tls.cert}"
        raise _unfit("tls.key", allowed, tls.key, error) from None
    return Trust(context, roots, cert, key)


def context_of(roots: bytes) -> ssl.SSLContext:
    """Return what checks servers' certificates against those of authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([ALPN])
    # As gRPC does: a certificate that signs itself may be trusted as such.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=roots.decode("ascii"))
    return context


def system_roots() -> bytes:
    """Return the certificates of the authorities that the system trusts.

    Raises:
        InvalidValueError: if there are none.
    """
    paths = ssl.get_default_verify_paths()
    folder = os.environ.get(paths.openssl_capath_env)
    if folder and not os.environ.get(paths.openssl_cafile_env):
        found = b"\n".join(_blocks(each) for each in sorted(Path(folder).glob("*")))
        if found.strip():
            return found
    for path in (paths.cafile, *BUNDLES):
        if path and (found := _blocks(Path(path))):
            return found
    message = "this system has no certificates of authorities: pass tls=sb.Tls(ca=...), or set"
    raise InvalidValueError(f"{message} SSL_CERT_FILE", field="tls.ca")


def _blocks(path: Path) -> bytes:
    try:
        return b"\n".join(CERTIFICATE.findall(path.read_bytes()))
    except OSError:
        return b""


def _certificates(field: str, path: str | Path) -> bytes:
    found = CERTIFICATE.findall(_content(field, path))
    if not found:
        raise bad_value(field, "a file with PEM certificates", str(path))
    return b"\n".join(found)


def _content(field: str, path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise _unfit(field, "a file that can be read", path, error) from None


def _unfit(field: str, allowed: str, path: object, error: Exception) -> InvalidValueError:
    why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return bad_value(field, allowed, Words(f"{path} ({why})"))
