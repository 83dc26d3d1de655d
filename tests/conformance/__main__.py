"""The conformance kit's command line.

python -m tests.conformance --client 'COMMAND ARGS' [--name go] [--out results.json]
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conformance.case import Case, committed_cases
from tests.conformance.golden import golden_cases
from tests.conformance.runner import Outcome, results, run
from tests.servers import serving


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--client", required=True, help="the program under test, as a shell has it")
    parser.add_argument("--name", default="", help="what the results call it")
    parser.add_argument("--out", type=Path, help="write the results there, as JSON")
    parser.add_argument("--only", default="", help="run the cases whose names contain this")
    parser.add_argument(
        "--all-golden", action="store_true", help="fetch every entry of the golden file, not some"
    )
    parser.add_argument("--server", default="", help="a server that runs already: host:port")
    return parser.parse_args(arguments)


def chosen_cases(only: str, *, all_golden: bool) -> list[Case]:
    """Return the cases to run."""
    cases = [*committed_cases(), *golden_cases(all_of_them=all_golden)]
    return [case for case in cases if only in case.name]


def reported(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Print a line for each outcome, and pass it on."""
    for outcome in outcomes:
        mark = "ok  " if outcome.problem is None else "FAIL"
        print(f"{mark} {outcome.seconds:6.2f} s  {outcome.name}", flush=True)
        if outcome.problem is not None:
            print(f"     {outcome.problem}", flush=True)
        yield outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kit; return 1 if a case failed."""
    parsed_ = parsed(arguments)
    cases = chosen_cases(parsed_.only, all_golden=parsed_.all_golden)
    begin = time.monotonic()
    if parsed_.server:
        found = results(parsed_.name, reported(run(parsed_.client, parsed_.server, cases)))
    else:
        with serving() as server:
            found = results(parsed_.name, reported(run(parsed_.client, server.address, cases)))
    print(
        f"{found['passed']} passed, {len(found['failed'])} failed "
        f"in {time.monotonic() - begin:.1f} s"
    )
    if parsed_.out is not None:
        parsed_.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
