"""A contest of seedbed's clients, each with a server of the same checkout."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.checkouts import Checkouts
from benchmarks.servers import seedbed_server
from benchmarks.turns import Contest


@contextmanager
def contest_of(checkouts: Checkouts, module: str, settings: Mapping[str, Any]) -> Iterator[Contest]:
    """Yield a contest that a client of each checkout has joined; peers are added to it.

    Args:
        checkouts: whose server and SDK take part.
        module: what the clients run.
        settings: the arguments of its ``actions``, besides the server's address.
    """
    with ExitStack() as servers, Contest() as contest:
        for name, checkout in checkouts.items():
            server = servers.enter_context(seedbed_server(checkout=checkout))
            own = {"address": server.address, **settings}
            contest.start(name, module, own, checkout=checkout)
        yield contest
