"""The server's log: one line for each event, as text or as JSON."""

import atexit
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any

# How late the first line of several may be.
PAUSE_SECONDS = 0.02

# What may wait for a reader that takes nothing, such as a full pipe; further lines are lost.
MOST_WAITING = 10_000
# How long a process that ends waits for such a reader.
LAST_LINES_SECONDS = 2.0
# In steps: one is over when a process was stopped meanwhile, or its machine was, and not all are.
LAST_LINES_STEPS = 20


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00Z INFO message key=value ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, followed by the traceback if there is one."""
        fields = "".join(f" {key}={value}" for key, value in getattr(record, "fields", {}).items())
        line = f"{_timestamp(record)} {record.levelname} {record.getMessage()}{fields}"
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a traceback is one of its fields."""
        entry = {
            "time": _timestamp(record),
            "level": record.levelname,
            "message": record.getMessage(),
        }
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class _Writer:
    """Writes records to a file descriptor; one thread's, so without a lock.

    With one of logging's, or of Python's buffer, in its hand, a thread that waits for a reader
    would keep the interpreter from ending.
    """

    def __init__(self, descriptor: int, formatter: logging.Formatter) -> None:
        self._descriptor = descriptor
        self._formatter = formatter

    def handle(self, record: logging.LogRecord) -> None:
        """Write a record; nobody can be told where that fails."""
        try:
            line = self._formatter.format(record)
        except Exception:  # noqa: BLE001  # of a package whose line does not fit its arguments
            line = f"{record.levelname} {record.msg!r}"
        data = f"{line}\n".encode(errors="backslashreplace")
        with suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


class _SameProcessHandler(QueueHandler):
    """Hands records over as they are, which is enough within a process; not more than can wait."""

    def __init__(self, records: SimpleQueue[logging.LogRecord]) -> None:
        super().__init__(records)
        self._records = records
        self._lost = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand a record over, or count that it is lost; say so before the next one that is not."""
        if self._records.qsize() >= MOST_WAITING:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            entry = {"msg": "lines of the log are lost", "levelname": "WARNING"}
            self._records.put_nowait(logging.makeLogRecord(entry | {"fields": {"lines": lost}}))
        self._records.put_nowait(record)

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


class _PatientListener(QueueListener):
    """Gives calls time to answer before it takes Python's lock for their records."""

    def __init__(self, records: SimpleQueue[logging.LogRecord], writers: Sequence[Any]) -> None:
        super().__init__(records, *writers)
        self._records = records

    def dequeue(self, block: bool) -> logging.LogRecord:
        """Return the next record, a moment after it came unless more were waiting."""
        was_empty = self._records.empty()
        record: logging.LogRecord = super().dequeue(block)
        if was_empty:
            time.sleep(PAUSE_SECONDS)
        return record

    def stop(self) -> None:
        """Return when every record is written, or nobody takes them."""
        thread = self._thread
        self.enqueue_sentinel()
        if thread is not None:
            for _ in range(LAST_LINES_STEPS):
                thread.join(LAST_LINES_SECONDS / LAST_LINES_STEPS)


def configure_logging(level: str, style: str) -> None:
    """Send the log of the server, and of what it is built on, to standard error.

    Args:
        level: the least severe lines.
        style: ``text`` or ``json``.
    """
    formatter = JsonFormatter() if style == "json" else TextFormatter()
    # There is none where the process was started without one; its number may be another file's.
    writers = [_Writer(sys.stderr.fileno(), formatter)] if sys.stderr is not None else []
    # What no line of ours has need not be found out for each ("Optimization" in the logging
    # module's manual).
    logging._srcfile = None  # noqa: SLF001  # as documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # A thread writes the lines: a call shall not wait for them.
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    listener = _PatientListener(queue, writers)
    listener.start()
    atexit.register(listener.stop)
    for name in ("seedbed_server", "opentelemetry", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [_SameProcessHandler(queue)]
        logger.propagate = False
        logger.setLevel(level.upper())


def _timestamp(record: logging.LogRecord) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        + f".{int(record.msecs):03d}Z"
    )
