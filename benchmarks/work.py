"""A contender's process: sets one library up, and does its work each time it is told to.

    python -m benchmarks.work MODULE SETTINGS [PROCESSORS]

Standard input holds the name of an action a line; each is answered by a line of JSON with the
seconds that it took.
"""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping

Action = Callable[[], Mapping[str, float] | None]
"""What a contender does in its turn; what it returns is told beside the seconds."""


def main() -> None:
    """Do what standard input says until it ends."""
    module, settings, *processors = sys.argv[1:]
    # Libraries print: only answers may go where answers are read.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if processors:
        # The one way to limit the threads of every library. Before the import, which starts them.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(processors[0])])
    actions: dict[str, Action] = importlib.import_module(module).actions(**json.loads(settings))
    print(json.dumps({"actions": sorted(actions)}), file=answers)
    for line in sys.stdin:
        print(json.dumps(_timed(actions[line.strip()])), file=answers)


def _timed(action: Action) -> dict[str, float | str]:
    started = time.perf_counter()
    try:
        figures = action()
    except Exception as error:  # noqa: BLE001  # whatever a library raises is its answer
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    return {"seconds": time.perf_counter() - started, **(figures or {})}


if __name__ == "__main__":
    main()
