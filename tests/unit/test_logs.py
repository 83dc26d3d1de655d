"""The log's thread lets calls go first, and neither loses nor reorders a line."""

import logging
import re
import subprocess
import sys

LINES = 500

PROGRAM = """
import logging
from seedbed_server.logs import configure_logging
configure_logging("info", "text")
log = logging.getLogger("seedbed_server.rpc")
for number in range({lines}):
    log.info("rpc", extra={{"fields": {{"number": number}}}})
"""


def test_a_process_that_ends_at_once_has_written_every_line_in_order() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(lines=LINES)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.findall(r"INFO rpc number=(\d+)", done.stderr) == [
        str(number) for number in range(LINES)
    ]


def test_only_the_servers_process_forgoes_what_its_lines_do_not_say() -> None:
    """The embedded engine logs as the program around it has set up."""
    assert logging.logThreads and logging.logProcesses
