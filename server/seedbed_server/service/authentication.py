"""Who calls, by the metadata and the connection of a call, and what they may do."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import grpc

from seedbed.spec.info import Limits
from seedbed.spec.reasons import Reason
from seedbed.v1 import service_pb2
from seedbed_server.refusals import CallerError
from seedbed_server.security.identities import UNIX, certificate_identity, identity_of_peer
from seedbed_server.security.policy import NO_LIMITS, PolicyError, Quotas, Rule, read_policy
from seedbed_server.security.quotas import tightened
from seedbed_server.security.tokens import read_tokens
from seedbed_server.settings import Settings
from seedbed_server.streams.peer_caps import PeerCap, PeerCaps
from seedbed_server.watched_files import WatchedFile

# What a policy may allow.
RPCS = tuple(service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].methods_by_name)

HEADER, SCHEME = "authorization", "bearer"

Context = grpc.aio.ServicerContext[Any, Any]
T = TypeVar("T")


class Authentication:
    """Knows the callers of a server by its tokens, certificates and policy.

    Args:
        settings: name the files, which are read again when they change.

    Raises:
        SeedbedError: if there is something wrong with a file; it is named.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.limits
        self._tokens = _watched(settings.tokens, read_tokens)
        self._has_certificates = settings.tls_client_ca is not None
        self._policy = _watched(settings.policy, lambda path: read_policy(path, RPCS))
        # Of everyone who was let in: whom a new policy leaves out still has streams under way.
        self._last_quotas: dict[str, Quotas] = {}
        if self._policy is not None and self._tokens is None and not self._has_certificates:
            raise PolicyError(
                "--policy needs --tokens or --tls-client-ca: without them no caller has an identity"
            )

    def look(self) -> None:
        """Read the files again that have changed, though nobody calls: their faults are logged."""
        for file in (self._tokens, self._policy):
            if file is not None:
                file.look()

    def identity(self, context: Context) -> str | None:
        """Return who calls; None where the server asks nobody.

        Args:
            context: gRPC's side of the call.

        Raises:
            CallerError: if there is no token or an unknown one, or no usable name.
        """
        if self._tokens is not None:
            return self._tokens.value.identity(_token(context), datetime.now(UTC))
        if not self._has_certificates:
            return None
        if str(context.peer()).startswith(f"{UNIX}:"):
            return UNIX
        identity = certificate_identity(context.auth_context())
        if identity is None:
            raise CallerError(
                "the client's certificate has no name that can be an identity: a URI, a DNS name "
                "or a common name without spaces",
                reason=Reason.UNKNOWN_IDENTITY,
            )
        return identity

    def rule(self, identity: str | None, method: str | None) -> Rule:
        """Return what a caller may do.

        Args:
            identity: who calls.
            method: the name of the RPC that it calls; None is one that is no policy's matter.

        Raises:
            CallerError: if it may not.
        """
        if identity is None or self._policy is None:
            return NO_LIMITS
        rule = self._policy.value.rule(identity)
        if rule is None:
            raise CallerError(
                f"no rule of this server's policy is about {identity}",
                reason=Reason.UNKNOWN_IDENTITY,
            )
        if method is not None and rule.rpcs is not None and method not in rule.rpcs:
            raise CallerError(
                f"this server's policy does not let {identity} call {method}",
                reason=Reason.RPC_NOT_ALLOWED,
            )
        self._last_quotas[identity] = rule.quotas
        return rule

    def limits(self, rule: Rule) -> Limits:
        """Return what the server refuses to go beyond for a caller."""
        return tightened(self._limits, rule.quotas)

    def caps(self) -> PeerCaps:
        """Return how much each peer may hold, by its quotas of the moment."""
        return PeerCaps(
            PeerCap("inflight_bytes", lambda peer: self._quotas(peer).inflight_bytes),
            PeerCap("matrices", lambda peer: self._quotas(peer).matrices),
        )

    def _quotas(self, peer: str) -> Quotas:
        identity = identity_of_peer(peer)
        if identity is None or self._policy is None:
            return NO_LIMITS.quotas
        rule = self._policy.value.rule(identity)
        return rule.quotas if rule is not None else self._last_quotas[identity]


def _watched(path: Path | None, read: Callable[[Path], T]) -> WatchedFile[T] | None:
    return WatchedFile([path], lambda: read(path)) if path is not None else None


def _token(context: Context) -> str:
    """Return a call's bearer token (RFC 6750, section 2.1)."""
    for key, value in context.invocation_metadata() or ():
        if key == HEADER:
            scheme, _, token = str(value).partition(" ")
            if scheme.lower() == SCHEME and token.strip():
                return token.strip()
    raise CallerError(
        "the call has no token: send `authorization: Bearer <token>` metadata",
        reason=Reason.TOKEN_MISSING,
    )
