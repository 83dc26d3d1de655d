"""The errors of calls that this process has ended, whoever was asked; they know no gRPC."""

from seedbed.errors import CancelledError


def closed(target: str) -> CancelledError:
    """Return the error for a call of a client that is closed."""
    return CancelledError(f"the client of {target} is closed; connect again")


def cancelled(target: str) -> CancelledError:
    """Return the error for a call that this process has cancelled."""
    return CancelledError(
        f"the call to {target} was cancelled; call again if the result is still wanted"
    )
