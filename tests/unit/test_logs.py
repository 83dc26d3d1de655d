"""The log's thread lets calls go first, and neither loses nor reorders a line."""

import logging
import re
import subprocess
import sys
from queue import SimpleQueue

from seedbed_server import logs

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


def test_a_process_ends_though_nobody_reads_its_log() -> None:
    """A full pipe, as of a container's log that nothing takes: it does not hold up the end."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(lines=20_000)], stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.wait(120) == 0
        finally:
            process.kill()


# What stops all of a process, such as a machine that has no time for it.
STOPPED = """
import os, subprocess, time
from seedbed_server import logs

write = logs._Writer.handle

def stop_and_write(writer, record):
    time.sleep(0.1)  # the program ends meanwhile
    us = os.getpid()
    subprocess.run(["sh", "-c", f"kill -STOP {{us}}; sleep {seconds}; kill -CONT {{us}}"])
    time.sleep(0.3)
    write(writer, record)

logs._Writer.handle = stop_and_write
stop = logs._PatientListener.stop

def stop_and_end(listener):
    stop(listener)
    os._exit(0)

logs._PatientListener.stop = stop_and_end
"""


def test_the_last_line_is_written_though_the_process_is_stopped_for_long() -> None:
    program = STOPPED.format(seconds=logs.LAST_LINES_SECONDS + 1) + PROGRAM.format(lines=1)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "INFO rpc number=0" in done.stderr


def test_lines_that_nobody_takes_are_counted_and_do_not_pile_up() -> None:
    records: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = logs._SameProcessHandler(records)
    for number in range(logs.MOST_WAITING + 5):
        handler.emit(logging.makeLogRecord({"msg": str(number)}))
    assert records.qsize() == logs.MOST_WAITING
    records.get()
    records.get()
    handler.emit(logging.makeLogRecord({"msg": "next"}))
    *_, lost, last = (records.get() for _ in range(records.qsize()))
    assert logs.TextFormatter().format(lost).endswith("WARNING lines of the log are lost lines=5")
    assert last.getMessage() == "next"
