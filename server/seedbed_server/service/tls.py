"""TLS as gRPC speaks it: 1.2 or newer, with HTTP/2 agreed on by ALPN."""

import logging
from datetime import UTC, datetime

import grpc

from seedbed_server.security.certificates import CertificateFiles, Certificates
from seedbed_server.watched_files import WatchedFile

log = logging.getLogger(__name__)


class ListenerTls:
    """The certificates of a server, as its files have them now.

    Args:
        files: where they are.

    Raises:
        CertificateError: if they do not fit.
    """

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._certificates = WatchedFile(files.paths, files.read)
        self._warned_of: Certificates | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Return the credentials of one listener.

        New connections get the certificate, and are held to the clients' authorities, of that
        moment; open ones go on with theirs.
        """
        given = self._certificates.value

        # gRPC asks before each handshake, in threads of its own, for one connection at a time. It
        # asks for each listener, so each has credentials that remember what it was given.
        def changed() -> grpc.ServerCertificateConfiguration | None:
            nonlocal given
            latest = self._certificates.value
            if latest is given:
                return None
            given = latest
            return _configuration(latest)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(given),
            changed,  # type: ignore[arg-type]  # the stubs' own gap: None is no change
            require_client_authentication=self._files.client_ca is not None,
        )

    def look(self) -> float:
        """Return when the certificate expires, as a timestamp; warn once of one that is not valid.

        Called again and again: a server notices files that have changed, or a certificate that has
        expired, also while nobody connects.
        """
        latest = self._certificates.value
        if latest is not self._warned_of and not (
            latest.valid_from <= datetime.now(UTC) <= latest.valid_until
        ):
            self._warned_of = latest
            fields = {
                "path": str(self._files.cert),
                "valid_from": f"{latest.valid_from:%Y-%m-%dT%H:%M:%SZ}",
                "valid_until": f"{latest.valid_until:%Y-%m-%dT%H:%M:%SZ}",
            }
            log.warning("the certificate is not valid now", extra={"fields": fields})
        return latest.valid_until.timestamp()


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(certificates.key, certificates.chain)], certificates.client_ca
    )
