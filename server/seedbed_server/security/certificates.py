"""The server's certificate, its key, and the authorities of its clients, as PEM files.

What gRPC would refuse without a word is found here: it gets only what it can use.
"""

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from seedbed.spec.errors import SeedbedError
from seedbed_server.security.file_modes import FileModeError, check_is_file
from seedbed_server.settings import Settings
from seedbed_server.watched_files import WatchedFileError

PEM_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# The algorithm of a public key: its object identifier, and for an elliptic curve the curve's
# (RFC 3279, RFC 5480). gRPC takes others and then fails every handshake, or takes them not at all.
KEY_ALGORITHMS = (
    bytes.fromhex("06092a864886f70d010101"),  # RSA
    bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107"),  # P-256
    bytes.fromhex("06072a8648ce3d020106052b81040022"),  # P-384
)
# Where a certificate's signed fields are (RFC 5280, section 4.1), after the version, which is
# optional.
VERSION_TAG, VALIDITY, PUBLIC_KEY = 0xA0, 3, 5
UTC_TIME_TAG = 0x17


class CertificateError(SeedbedError):
    """Files with which the server cannot speak TLS."""


class UnreadableCertificateError(CertificateError, WatchedFileError):
    """A file of those that cannot be read."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the files held."""

    chain: bytes
    """The server's certificate, and those between it and the root."""
    key: bytes = field(repr=False)
    client_ca: bytes | None
    """Who must have signed a client's certificate; None asks for none."""
    valid_from: datetime
    valid_until: datetime
    """Until when the whole chain is valid."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where they are."""

    cert: Path
    key: Path
    client_ca: Path | None

    @property
    def paths(self) -> Sequence[Path]:
        """All of them."""
        return [each for each in (self.cert, self.key, self.client_ca) if each is not None]

    def read(self) -> Certificates:
        """Return what they hold, checked.

        Raises:
            CertificateError: naming the file that does not fit, or cannot be read.
        """
        contents = self._contents()
        try:
            found = self._checked(contents)
        except CertificateError:
            if contents == self._contents():
                raise
        else:
            if contents == self._contents():
                return found
        return self.read()  # they changed meanwhile

    def _contents(self) -> list[bytes]:
        return [_read(path) for path in self.paths]

    def _checked(self, contents: Sequence[bytes]) -> Certificates:
        chain, key, *client_ca = contents
        found = _read_certificates(self.cert, chain)
        if not found[0].key_algorithm.startswith(KEY_ALGORITHMS):
            raise CertificateError(
                f"the key of the certificate in {self.cert} must be RSA, P-256 or P-384: gRPC "
                "serves with no other"
            )
        _check_key(self.cert, self.key)
        if self.client_ca is not None:
            _read_certificates(self.client_ca, client_ca[0])
        return Certificates(
            chain=chain,
            key=key,
            client_ca=client_ca[0] if client_ca else None,
            valid_from=max(each.valid_from for each in found),
            valid_until=min(each.valid_until for each in found),
        )


def certificate_files(settings: Settings) -> CertificateFiles | None:
    """Return the files that settings name; None is a server without TLS.

    Raises:
        CertificateError: if some are named without others that they need.
    """
    cert, key, client_ca = settings.tls_cert, settings.tls_key, settings.tls_client_ca
    if cert is not None and key is not None:
        return CertificateFiles(cert, key, client_ca)
    if cert is not None or key is not None:
        given, missing = ("cert", "key") if cert is not None else ("key", "cert")
        raise CertificateError(f"--tls-{given} needs --tls-{missing} beside it")
    if client_ca is not None:
        raise CertificateError(
            "--tls-client-ca needs --tls-cert and --tls-key beside it: clients show certificates "
            "only to a server that shows one"
        )
    return None


def _read(path: Path) -> bytes:
    try:
        check_is_file(path)
        return path.read_bytes()
    except FileModeError as error:
        raise CertificateError(str(error)) from None
    except OSError as error:
        raise UnreadableCertificateError(f"cannot read {path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Certificate:
    valid_from: datetime
    valid_until: datetime
    key_algorithm: bytes


def _read_certificates(path: Path, data: bytes) -> list[_Certificate]:
    """Return the certificates of a PEM file."""
    found = PEM_CERTIFICATE.findall(data)
    if not found:
        raise CertificateError(f"{path} has no certificate in PEM")
    try:
        return [_read_certificate(each.decode("ascii")) for each in found]
    except (ssl.SSLError, ValueError, IndexError):
        raise CertificateError(f"{path} has a certificate that cannot be read") from None


def _read_certificate(pem: str) -> _Certificate:
    """Return what a certificate says.

    The standard library shows that only of one that it could verify, which an expired certificate
    is not. So OpenSSL reads it all, for its own errors, and the few fields are found here.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    [(_, certificate)] = _elements(ssl.PEM_cert_to_DER_cert(pem))
    fields = _elements(_elements(certificate)[0][1])
    if fields[0][0] == VERSION_TAG:
        fields = fields[1:]
    valid_from, valid_until = (_time(*each) for each in _elements(fields[VALIDITY][1]))
    return _Certificate(valid_from, valid_until, _elements(fields[PUBLIC_KEY][1])[0][1])


def _check_key(cert: Path, key: Path) -> None:
    """Refuse a key that is another certificate's, or none."""

    def passphrase() -> str:
        raise CertificateError(f"{key} has a passphrase: give the key without one")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            message = f"the key in {key} does not belong to the certificate in {cert}"
        elif error.reason:
            message = f"{cert} and {key} cannot be used: {error.reason.lower().replace('_', ' ')}"
        else:
            message = f"{key} has no private key in PEM"
        raise CertificateError(message) from None


def _time(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == UTC_TIME_TAG:  # two digits of the year: from 1950 to 2049 (RFC 5280, 4.1.2.5.1)
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    """Return the tags and contents of DER's elements, side by side (X.690, section 8.1)."""
    found = []
    while der:
        tag, size, at = der[0], der[1], 2
        if size & 0x80:  # the size of the size
            at += size & 0x7F
            size = int.from_bytes(der[2:at])
        found.append((tag, der[at : at + size]))
        der = der[at + size :]
    return found
