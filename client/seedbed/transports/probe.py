"""Why a server that is reached speaks no HTTP/2 with a client, in words.

Neither gRPC nor a connection that breaks says enough: after a failure, the server is asked once
more. Only what no other try will change counts.
"""

import ssl
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seedbed.spec.tls import Tls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2 import frames
from seedbed.transports.http2.address import Address
from seedbed.transports.tls_connection import NoHttp2Error, TlsConnection, agreed
from seedbed.transports.trust import ALPN, Trust, context_of

# OpenSSL's X509_V_ERR_...: what is wrong with a certificate.
UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
OUT_OF_DATE = (9, 10)
OTHER_NAME = (62, 64)

# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name.
NO_CHECK_TIME = 0x20_0000

# What OpenSSL says of bytes that are not TLS, and of TLS alerts.
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
OLD_TLS = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION")
ABOUT_THE_CLIENT = (
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_UNKNOWN_CA",
)


Agree = Callable[[ssl.SSLContext], AbstractContextManager[TlsConnection]]
"""Yields a connection under TLS, when both sides have agreed on it."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks one server why it does not speak. Safe to use from several threads."""

    address: Address | None
    """Where it listens; None where only gRPC finds the way."""
    tls: Tls | None = None
    """What the client was asked for; None is a plain connection."""
    trust: Callable[[], Trust] | None = None
    """Gives what connections are secured with now."""

    def reason(self, timeout_seconds: float, cancellation: Cancellation) -> str | None:
        """Return what is to be changed, so that the server speaks; None if that is not known.

        Args:
            timeout_seconds: for each of a few connections.
            cancellation: ends the wait from another thread.
        """
        address = self.address
        if address is None or address.path is not None:
            return None
        name = (self.tls.server_name if self.tls is not None else None) or address.name

        def agree(context: ssl.SSLContext) -> AbstractContextManager[TlsConnection]:
            connected = address.connect(timeout_seconds, cancellation)
            return agreed(connected, context, name, timeout_seconds, cancellation)

        try:
            if self.tls is None or self.trust is None:
                return _reason_in_plain(agree)
            return _reason(agree, self.tls, self.trust(), name)
        except (OSError, UnicodeError):  # it cannot be reached, or breaks off: this may pass
            return None


def _reason_in_plain(agree: Agree) -> str:
    """Return the reason of a server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([ALPN])
    with agree(context):
        pass
    return "wants TLS: pass tls=True, or tls=sb.Tls(ca=...) for a CA that is not the system's"


def _reason(agree: Agree, tls: Tls, trust: Trust, name: str) -> str | None:
    try:
        with agree(trust.context) as connection:
            # In TLS 1.3, a server looks at the client's certificate when the client has done its
            # part; and gRPC's servers then close without a word.
            speaks = bool(connection.answer_to(frames.PREFACE + frames.settings({})))
    except ssl.SSLCertVerificationError as error:
        return _reason_in_certificate(error, agree, tls, trust, name)
    except NoHttp2Error:
        return "speaks TLS, but no HTTP/2 in it: check that it is a seedbed-server"
    except ssl.SSLError as error:
        if error.reason in NOT_TLS:
            return "does not speak TLS: pass tls=False if that is meant, or check the port"
        if error.reason in OLD_TLS:
            return "does not speak TLS 1.2 or newer: its operator has to allow it"
        speaks = error.reason not in ABOUT_THE_CLIENT
    if speaks:
        return None
    if tls.cert is None:
        return "asks for a client certificate: pass tls=sb.Tls(cert=..., key=...)"
    return (
        f"does not accept the client certificate in {tls.cert}: check who signed it, and until when"
    )


def _reason_in_certificate(
    error: ssl.SSLCertVerificationError, agree: Agree, tls: Tls, trust: Trust, name: str
) -> str:
    if error.verify_code in UNKNOWN_AUTHORITY:
        authority = "that the system trusts" if tls.ca is None else f"in {tls.ca}"
        return f"has a certificate not signed by a CA {authority}: pass tls=sb.Tls(ca=...)"
    if error.verify_code in OTHER_NAME:
        names = ", ".join(_names(_certificate(agree, trust))) or "another name"
        hint = "connect by that name, or pass it as tls=sb.Tls(server_name=...)"
        return f"has a certificate for {names}, not for {name}: {hint}"
    if error.verify_code in OUT_OF_DATE:
        hint = "its operator has to renew it, unless a clock is wrong"
        return f"has a certificate that {_time(_certificate(agree, trust))}: {hint}"
    return f"has a certificate that does not hold: {error.verify_message}"


def _certificate(agree: Agree, trust: Trust) -> dict[str, Any]:
    """Return the server's certificate, whatever its time and name; empty if it cannot be had."""
    context = context_of(trust.roots)
    context.check_hostname = False
    context.verify_flags |= NO_CHECK_TIME
    try:
        with agree(context) as connection:
            return connection.certificate
    except OSError:
        return {}


def _names(certificate: dict[str, Any]) -> list[str]:
    return [str(name) for _, name in certificate.get("subjectAltName", ())]


def _time(certificate: dict[str, Any]) -> str:
    """Return what is wrong with a certificate's time, with the date where it is this one's."""
    now = time.time()
    if not certificate:
        return "is out of date"
    begin, end = (ssl.cert_time_to_seconds(certificate[each]) for each in ("notBefore", "notAfter"))
    if end < now:
        return f"expired on {_date(end)}"
    if begin > now:
        return f"is not valid before {_date(begin)}"
    return "is signed by one that is out of date"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
