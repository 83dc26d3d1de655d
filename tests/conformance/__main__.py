"""The conformance kit's command line.

python -m tests.conformance --client 'COMMAND ARGS' [--name go] [--out results.json]
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.conformance.case import Case, Document, committed_cases
from tests.conformance.golden import all_golden_cases, golden_cases, golden_counts
from tests.conformance.runner import Outcome, results, run
from tests.servers import serving


def parsed(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[Case]]:
    """Return the arguments of the command line, and the cases that they choose."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--client", required=True, help="the program under test, as a shell has it")
    parser.add_argument("--name", default="", help="what the results call it")
    parser.add_argument("--out", type=Path, help="write the results there, as JSON")
    parser.add_argument(
        "--golden-out",
        type=Path,
        help="fetch every entry of the golden file, too, and write there how many are right",
    )
    parser.add_argument("--only", default="", help="run the cases whose names contain this")
    parser.add_argument("--server", default="", help="a server that runs already: host:port")
    given = parser.parse_args(arguments)
    cases = [case for case in (*committed_cases(), *golden_cases()) if given.only in case.name]
    if not cases:
        parser.error(f"no case has this in its name: {given.only}")
    return given, cases


@contextmanager
def server_at(address: str) -> Iterator[str]:
    """Yield a server's address; of one that is started, if none is given."""
    if address:
        yield address
    else:
        with serving() as server:
            yield server.address


def reported(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Print a line for each outcome, and pass it on."""
    for outcome in outcomes:
        mark = "ok  " if outcome.problem is None else "FAIL"
        print(f"{mark} {outcome.seconds:6.2f} s  {outcome.name}", flush=True)
        if outcome.problem is not None:
            print(f"     {outcome.problem}", flush=True)
        yield outcome


def write(path: Path, document: Document) -> None:
    """Write results; whoever reads them meanwhile, as other tests may, finds all of them."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    new.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kit; return 1 if a case failed."""
    given, cases = parsed(arguments)
    with server_at(given.server) as server:
        begin = time.monotonic()
        found = results(given.name, reported(run(given.client, server, cases)))
        failed = list(found["failed"])
        print(f"{found['passed']} passed, {len(failed)} failed in {time.monotonic() - begin:.1f} s")
        if given.golden_out is not None:
            outcomes = list(reported(run(given.client, server, all_golden_cases())))
            write(given.golden_out, golden_counts(outcomes))
            failed += [each.name for each in outcomes if each.problem is not None]
    if given.out is not None:
        write(given.out, found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
