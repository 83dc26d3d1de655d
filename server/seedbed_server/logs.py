"""The server's log: one line for each event, as text or as JSON."""

import atexit
import json
import logging
import sys
import time
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue

# How late the first line of several may be.
PAUSE_SECONDS = 0.02


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


class _SameProcessHandler(QueueHandler):
    """Hands records over as they are, which is enough within a process."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


class _PatientListener(QueueListener):
    """Gives calls time to answer before it takes Python's lock for their records."""

    def __init__(self, records: SimpleQueue[logging.LogRecord], handler: logging.Handler) -> None:
        super().__init__(records, handler)
        self._records = records

    def dequeue(self, block: bool) -> logging.LogRecord:
        """Return the next record, a moment after it came unless more were waiting."""
        was_empty = self._records.empty()
        record: logging.LogRecord = super().dequeue(block)
        if was_empty:
            time.sleep(PAUSE_SECONDS)
        return record


def configure_logging(level: str, style: str) -> None:
    """Send the log of the server, and of its tracing, to standard error as ``text`` or ``json``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    # What no line of ours has need not be found out for each ("Optimization" in the logging
    # module's manual).
    logging._srcfile = None  # noqa: SLF001  # as documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # A thread writes the lines: a call shall not wait for them.
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    listener = _PatientListener(queue, handler)
    listener.start()
    atexit.register(listener.stop)
    for name in ("seedbed_server", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.handlers = [_SameProcessHandler(queue)]
        logger.propagate = False
        logger.setLevel(level.upper())


def _timestamp(record: logging.LogRecord) -> str:
    return (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        + f".{int(record.msecs):03d}Z"
    )
