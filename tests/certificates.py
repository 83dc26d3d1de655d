"""Certificates for tests: authorities of their own, and what these issue, as PEM files."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

A_DAY = timedelta(days=1)
A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key, as files."""

    cert: Path
    key: Path
    serial: int
    """The certificate's serial number."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs certificates, with a certificate of its own."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def issue(
        self,
        folder: Path,
        common_name: str,
        *,
        names: Sequence[str] = ("localhost",),
        ips: Sequence[str] = ("127.0.0.1",),
        uris: Sequence[str] = (),
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> Issued:
        """Write a certificate, for servers and clients alike, and its key into a folder.

        The files are called by the common name; those that are there are replaced. Without times,
        it is valid from yesterday for a year.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        others = [
            *map(x509.DNSName, names),
            *(x509.IPAddress(ipaddress.ip_address(each)) for each in ips),
            *map(x509.UniformResourceIdentifier, uris),
        ]
        builder = _builder(common_name, key, valid_from, valid_until)
        builder = builder.issuer_name(self.certificate.subject)
        if others:
            builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        cert_path, key_path = folder / f"{common_name}.crt", folder / f"{common_name}.key"
        cert_path.write_bytes(_pem(certificate))
        key_path.touch(0o600)
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return Issued(cert_path, key_path, certificate.serial_number)

    def write(self, path: Path) -> Path:
        """Write the authority's certificate, which others trust, and return the path."""
        path.write_bytes(_pem(self.certificate))
        return path


def authority(name: str) -> Authority:
    """Return a new authority of a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, None, None)
    builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    # The rest is for Python's ssl, which from 3.13 on is strict by default.
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(usage, critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def _builder(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> x509.CertificateBuilder:
    # A day back, for clocks that differ.
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from or now - A_DAY)
        .not_valid_after(valid_until or now + A_YEAR)
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
