"""Children of a busy client get every bit right, whether they are forked or spawned."""

import json

from tests.floods.program import program
from tests.servers import ServerProcess
from tests.soak import scaled

FORKED = scaled(40, full=800)
WORKERS = scaled(16, full=160)
SPAWNED = scaled(4, full=40)


def test_children_of_a_busy_client_fetch_what_their_parent_does(server: ServerProcess) -> None:
    counts = map(str, (FORKED, WORKERS, SPAWNED))
    with program("children", server.address, *counts) as process:
        told_text, _ = process.communicate(timeout=120 + 2 * (FORKED + WORKERS + SPAWNED))
    assert process.returncode == 0
    told = json.loads(told_text)
    print(f"{FORKED} forked, {WORKERS} workers, {SPAWNED} spawned beside {told['parent']} calls")
    assert not told["wrong"]
    assert min(told["parent"].values()) > 0


def test_calls_import_nothing(server: ServerProcess) -> None:
    """A process that is forked while another thread imports a module could never import it."""
    with program("imports", server.address) as process:
        told, _ = process.communicate(timeout=120)
    assert json.loads(told) == []
