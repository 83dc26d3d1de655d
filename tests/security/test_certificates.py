"""Files that a server cannot speak TLS with are refused by name, before gRPC sees them."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seedbed_server.security import certificates
from seedbed_server.security.certificates import (
    CertificateError,
    CertificateFiles,
    certificate_files,
)
from seedbed_server.settings import Settings
from tests.certificates import Authority, Issued


@pytest.fixture
def files(tmp_path: Path, ca: Authority) -> CertificateFiles:
    """Files that fit."""
    issued = ca.issue(tmp_path, "server")
    return CertificateFiles(issued.cert, issued.key, ca.write(tmp_path / "ca.crt"))


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def self_signed(folder: Path, *key: str) -> CertificateFiles:
    """Return a certificate with a key of a kind."""
    cert, private = folder / "own.crt", folder / "own.key"
    where = ("-keyout", str(private), "-out", str(cert), "-subj", "/CN=localhost", "-nodes")
    openssl("req", "-x509", "-newkey", *key, *where)
    return CertificateFiles(cert, private, None)


def test_what_the_files_hold_is_kept_as_it_is(files: CertificateFiles) -> None:
    found = files.read()
    assert found.chain == files.cert.read_bytes()
    assert found.key == files.key.read_bytes()
    assert files.client_ca is not None
    assert found.client_ca == files.client_ca.read_bytes()


def test_a_key_is_never_shown(files: CertificateFiles) -> None:
    found = files.read()
    assert "PRIVATE" not in repr(found)
    assert found.key.decode().splitlines()[1] not in repr(found)


@pytest.mark.parametrize("year", [2049, 2050, 9999])
def test_a_certificate_tells_its_times(tmp_path: Path, ca: Authority, year: int) -> None:
    start, end = datetime(1999, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC)
    issued = ca.issue(tmp_path, "server", valid_from=start, valid_until=end)
    found = CertificateFiles(issued.cert, issued.key, None).read()
    assert (found.valid_from, found.valid_until) == (start, end)


def test_a_chain_is_valid_while_all_of_it_is(tmp_path: Path, ca: Authority) -> None:
    early, late = datetime(2040, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
    leaf = ca.issue(tmp_path, "leaf", valid_until=late)
    above = ca.issue(tmp_path, "above", valid_until=early)
    leaf.cert.write_bytes(leaf.cert.read_bytes() + above.cert.read_bytes())
    assert CertificateFiles(leaf.cert, leaf.key, None).read().valid_until == early


def damage_certificate(files: CertificateFiles, other: Issued) -> CertificateFiles:
    lines = files.cert.read_text().splitlines()
    files.cert.write_text("\n".join([lines[0], *reversed(lines[1:-1]), lines[-1]]))
    return files


Change = Callable[[CertificateFiles, Issued], CertificateFiles]
MISFITS: dict[str, tuple[Change, str]] = {
    "another's key": (
        lambda files, other: replace(files, key=other.key),
        "the key in .*other.key does not belong to the certificate in .*server.crt",
    ),
    "no certificate": (
        lambda files, other: replace(files, cert=files.key),
        "server.key has no certificate in PEM",
    ),
    "a damaged certificate": (damage_certificate, "server.crt has a certificate that cannot be"),
    "no key": (
        lambda files, other: replace(files, key=files.cert),
        "server.crt has no private key in PEM",
    ),
    "no authority": (
        lambda files, other: replace(files, client_ca=files.key),
        "server.key has no certificate in PEM",
    ),
    "no such certificate": (
        lambda files, other: replace(files, cert=Path("/nowhere/server.crt")),
        "cannot read /nowhere/server.crt: No such file or directory",
    ),
    "no such key": (
        lambda files, other: replace(files, key=Path("/nowhere/server.key")),
        "cannot read /nowhere/server.key: No such file or directory",
    ),
    "no such authority": (
        lambda files, other: replace(files, client_ca=Path("/nowhere/ca.crt")),
        "cannot read /nowhere/ca.crt: No such file or directory",
    ),
    "a folder": (
        lambda files, other: replace(files, cert=files.cert.parent),
        "must be a regular file",
    ),
}


@pytest.mark.parametrize(("change", "message"), MISFITS.values(), ids=MISFITS.keys())
def test_files_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, ca: Authority, files: CertificateFiles, change: Change, message: str
) -> None:
    changed = change(files, ca.issue(tmp_path, "other"))
    with pytest.raises(CertificateError, match=message):
        changed.read()


# Of which gRPC refuses some, and fails the handshakes of the others.
KEYS = {
    "RSA": (("rsa:2048",), True),
    "P-256": (("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), True),
    "P-384": (("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), True),
    "P-521": (("ec", "-pkeyopt", "ec_paramgen_curve:P-521"), False),
    "secp256k1": (("ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"), False),
    "Ed25519": (("ed25519",), False),
    "RSA-PSS": (("rsa-pss",), False),
}


@pytest.mark.parametrize(("key", "serves"), KEYS.values(), ids=KEYS.keys())
def test_only_keys_that_grpc_serves_with_are_taken(
    tmp_path: Path, key: tuple[str, ...], serves: bool
) -> None:
    files = self_signed(tmp_path, *key)
    if serves:
        assert files.read().chain == files.cert.read_bytes()
    else:
        with pytest.raises(CertificateError, match=r"own\.crt must be RSA, P-256 or P-384"):
            files.read()


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    files: CertificateFiles, tmp_path: Path
) -> None:
    locked = tmp_path / "locked.key"
    openssl("pkey", "-in", str(files.key), "-aes256", "-passout", "pass:x", "-out", str(locked))
    with pytest.raises(CertificateError, match=r"locked\.key has a passphrase: give the"):
        replace(files, key=locked).read()


def test_files_that_change_while_they_are_read_are_read_again(
    files: CertificateFiles, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files.cert.read_bytes()
    swaps = iter([True])

    def check(cert: Path, key: Path) -> None:
        if next(swaps, False):
            ca.issue(cert.parent, "server")

    monkeypatch.setattr(certificates, "_check_key", check)
    found = files.read()
    assert found.chain != before
    assert (found.chain, found.key) == (files.cert.read_bytes(), files.key.read_bytes())


def test_files_that_are_swapped_between_two_looks_at_them_are_no_misfit(
    files: CertificateFiles, ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_check, old_key = certificates._check_key, files.key.read_bytes()
    swaps = iter([True])

    def check(cert: Path, key: Path) -> None:
        if not next(swaps, False):
            return really_check(cert, key)
        # The new certificate beside the old key, for whoever opens them one after the other.
        new_key = ca.issue(cert.parent, "server").key.read_bytes()
        key.write_bytes(old_key)
        try:
            really_check(cert, key)
        finally:
            key.write_bytes(new_key)

    monkeypatch.setattr(certificates, "_check_key", check)
    found = files.read()
    assert (found.chain, found.key) == (files.cert.read_bytes(), files.key.read_bytes())
    assert found.key != old_key


A, B, C = Path("a"), Path("b"), Path("c")


def test_settings_name_all_files_or_none() -> None:
    assert certificate_files(Settings()) is None
    assert certificate_files(Settings(tls_cert=A, tls_key=B)) == CertificateFiles(A, B, None)
    named = certificate_files(Settings(tls_cert=A, tls_key=B, tls_client_ca=C))
    assert named == CertificateFiles(A, B, C)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(tls_cert=A), "--tls-cert needs --tls-key"),
        (Settings(tls_key=A), "--tls-key needs --tls-cert"),
        (Settings(tls_client_ca=A), "--tls-client-ca needs --tls-cert and --tls-key"),
        (Settings(tls_cert=A, tls_client_ca=A), "--tls-cert needs --tls-key"),
    ],
)
def test_settings_that_lack_a_file_say_which(settings: Settings, message: str) -> None:
    with pytest.raises(CertificateError, match=message):
        certificate_files(settings)
