"""Runs cases: a real server, the fault of each case in between, and the client under test."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.conformance.case import Case, Document
from tests.conformance.client_process import ClientFailedError, ClientProcess
from tests.conformance.faulty_server import faulty_server
from tests.conformance.judge import problem
from tests.faults.plans import Plan, in_turn
from tests.faults.proxy import faulty_proxy

ANSWER_SECONDS = 30.0
ENDS = "ends when its input ends"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    name: str
    op: str
    problem: str | None
    """What was wrong; None if nothing was."""
    seconds: float


@dataclass(slots=True)
class Way:
    """The way from a client to the server, with its fault."""

    target: str
    data_bytes: int | None = None
    """Bytes of tensors that came along it in all; None where nobody counted."""
    is_struck: bool = True
    """Whether its fault came to pass."""


@contextmanager
def way(server: str, fault: Document | None) -> Iterator[Way]:
    """Yield the way to the server."""
    if fault is None:
        yield Way(server)
    elif fault["kind"] == "cut":
        cuts = [Plan("cut", byte=byte) for byte in fault["after_bytes"]]
        with faulty_proxy(server, in_turn(*cuts, Plan())) as proxy:
            found = Way(proxy.target)
            yield found
            found.is_struck = proxy.counts["cut"] > 0
    else:
        with faulty_server(server, fault) as (target, between):
            found = Way(target)
            yield found
            found.data_bytes = between.data_bytes
            found.is_struck = between.has_struck


def run(command: str, server: str, cases: Iterable[Case]) -> Iterator[Outcome]:
    """Yield the outcome of each case, and of the program's end."""
    client = ClientProcess(command)
    try:
        for case in cases:
            yield _run_case(client, server, case)
        yield _run_end(client)
    finally:
        client.kill()


def _run_case(client: ClientProcess, server: str, case: Case) -> Outcome:
    begin = time.monotonic()
    with way(server, case.fault) as found:
        try:
            answer = client.ask({**case.request, "target": found.target}, ANSWER_SECONDS)
            wrong = problem(case, answer)
        except ClientFailedError as error:
            wrong = str(error)
    seconds = time.monotonic() - begin
    if wrong is None and not found.is_struck:
        wrong = "the fault did not come to pass: the client asked for something else"
    wrong = wrong or _waste(case, found.data_bytes) or _haste(case, seconds)
    return Outcome(case.name, case.op, wrong, seconds)


def _waste(case: Case, data_bytes: int | None) -> str | None:
    """Return what is wrong with how much the client was sent, if the case says a most."""
    most = min((allowed.get("data_bytes_at_most", 2**63) for allowed in case.expect), default=0)
    if data_bytes is None or data_bytes <= most:
        return None
    return f"{data_bytes} bytes were sent where {most} are enough: resume at the first one missing"


def _haste(case: Case, seconds: float) -> str | None:
    """Return what is wrong with how soon an answer came, if the case says when it may."""
    least = max((allowed.get("seconds_at_least", 0.0) for allowed in case.expect), default=0.0)
    if seconds >= least:
        return None
    return f"an answer after {seconds:.2f} s: wait for {least} s, as RetryInfo says"


def _run_end(client: ClientProcess) -> Outcome:
    begin = time.monotonic()
    try:
        code = client.end()
        wrong = f"exit code {code}, not 0" if code else None
    except ClientFailedError as error:
        wrong = str(error)
    return Outcome(ENDS, "end", wrong, time.monotonic() - begin)


def results(name: str, outcomes: Iterable[Outcome]) -> Document:
    """Return what is kept of a client's run."""
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    failed = []
    for outcome in outcomes:
        total[outcome.op] += 1
        passed[outcome.op] += outcome.problem is None
        if outcome.problem is not None:
            failed.append(outcome.name)
    by_op = {op: {"passed": passed[op], "total": total[op]} for op in total}
    return {"client": name, "passed": passed.total(), "failed": failed, "by_op": by_op}
