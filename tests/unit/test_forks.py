"""A forked child forgets what was its parent's, and the parent does not."""

import gc
import subprocess
import sys
import weakref

from seedbed.transports.forks import forgets_after_fork

PROGRAM = """
import os, threading
import seedbed as sb
from seedbed import defaults
from seedbed.threaded_calls import Engine
from seedbed.transports.forks import forgets_after_fork
from seedbed.transports.remote import RemoteTransport

class Known:
    def __init__(self):
        self.forgotten_by = []
        forgets_after_fork(self)

    def forget(self):
        self.forgotten_by.append(os.getpid())

def in_child(check):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0

one, other = Known(), Known()
transport = RemoteTransport.open(["127.0.0.1:1"], {}, channels=1, patience_seconds=0)
(replica,) = transport._replicas
transport.cancel()
replica._ready_at = float("inf")
engine = Engine()
for lock in (replica._lock, engine._lock, defaults._lock):
    lock.acquire()  # as by a thread that is not there in the child

def child():
    assert one.forgotten_by == other.forgotten_by == [os.getpid()]
    assert not transport._cancellation.is_cancelled
    assert not replica.is_set_aside
    replica.count("tries")
    assert engine.another() is not None
    assert sb.get_default_client() is not None
    grandchild()

def grandchild():
    def check():
        assert one.forgotten_by[1:] == [os.getpid()]
    in_child(check)

in_child(child)
assert one.forgotten_by == other.forgotten_by == []
assert transport._cancellation.is_cancelled
assert replica.is_set_aside
"""


def test_a_child_begins_anew_whatever_its_parent_was_at() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_may_be_forgotten_is_not_kept_for_that() -> None:
    class Known:
        def forget(self) -> None:
            """Do nothing."""

    known = Known()
    reference = weakref.ref(known)
    forgets_after_fork(known)
    del known
    gc.collect()
    assert reference() is None
