"""What a forked child must not share with its parent: locks held there, sockets, threads."""

import os
import weakref
from typing import Protocol


class Forgetful(Protocol):
    """What can let go of all that belongs to the process that made it."""

    def forget(self) -> None:
        """Begin anew in a forked child; no other thread is there."""


_KNOWN: weakref.WeakSet[Forgetful] = weakref.WeakSet()


def forgets_after_fork(each: Forgetful) -> None:
    """Have a forked child call ``forget``, for as long as the object is there."""
    _KNOWN.add(each)


def _forget_all() -> None:
    for each in tuple(_KNOWN):
        each.forget()


os.register_at_fork(after_in_child=_forget_all)
