"""Contenders that take turns: a, b, c, a, b, c, ...

A machine that slows down for a while thus slows all of them.
"""

import importlib.util
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from benchmarks.checkouts import ROOT
from benchmarks.result import NOT_INSTALLED, NOT_OFFERED, OURS
from benchmarks.worker import Worker, WorkerError

# Threads of the one before may look for more work a moment longer.
PAUSE_SECONDS = 0.05


class Contender(Protocol):
    """Whoever can take turns."""

    def actions(self) -> frozenset[str]:
        """Return what it can do."""

    def run(self, action: str) -> dict[str, float]:
        """Do it, and return the figures; ``seconds`` is one of them."""


@dataclass(frozen=True, slots=True)
class Turns:
    """What contenders did in their turns."""

    figures: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    """The figures of each, one for each round."""
    absent: dict[str, str] = field(default_factory=dict)
    """Who took no turn, and why."""

    def samples(self, name: str = "seconds") -> dict[str, list[float]]:
        """Return one of the figures of each contender."""
        return self.converted(lambda figures: figures[name])

    def rates(self, amount: float) -> dict[str, list[float]]:
        """Return an amount for each second of each contender."""
        return self.converted(lambda figures: amount / figures["seconds"])

    def converted(self, convert: Callable[[dict[str, float]], float]) -> dict[str, list[float]]:
        """Return a number for each contender's figures in each round."""
        return {
            who: [convert(figures) for figures in rounds] for who, rounds in self.figures.items()
        }


class Contest:
    """Contenders, each in a process of its own; a context manager that ends the processes."""

    def __init__(self) -> None:
        self._contenders: dict[str, Contender] = {}
        self._missing: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def start(
        self,
        name: str,
        module: str,
        settings: Mapping[str, Any],
        *,
        needs: tuple[str, ...] = (),
        threads: int | None = None,
        checkout: Path = ROOT,
        scripts: Path = ROOT,
    ) -> None:
        """Add a process that runs a module of :mod:`benchmarks.peers`.

        Args:
            name: in the table.
            module: what it runs.
            settings: the arguments of the module's ``actions``.
            needs: the packages without which it cannot; it is noted as missing then.
            threads: how many threads it may use; None leaves that to it.
            checkout: whose seedbed it imports.
            scripts: whose :mod:`benchmarks` it runs.
        """
        if reason := missing(*needs):
            self._missing[name] = reason
        else:
            worker = Worker(module, settings, threads, checkout=checkout, scripts=scripts)
            self.add(name, self._stack.enter_context(worker))

    def add(self, name: str, contender: Contender) -> None:
        """Add one that the caller ends."""
        self._contenders[name] = contender

    def turns(self, action: str, rounds: int) -> Turns:
        """Let everyone do something once to warm up, and then in turns.

        Raises:
            WorkerError: if seedbed itself cannot.
        """
        turns = Turns(absent=dict(self._missing))
        for name in self._contenders:
            turns.figures[name] = []
            self._take_turn(name, action, turns)
        for figures in turns.figures.values():
            figures.clear()
        for _ in range(rounds):
            for name in list(turns.figures):
                self._take_turn(name, action, turns)
        return turns

    def _take_turn(self, name: str, action: str, turns: Turns) -> None:
        """Add the figures of a contender's turn; drop a peer that fails, with the reason."""
        contender = self._contenders[name]
        time.sleep(PAUSE_SECONDS)
        try:
            if action in contender.actions():
                turns.figures[name].append(contender.run(action))
                return
            reason = NOT_OFFERED
        except WorkerError as error:
            if name == OURS:
                raise
            reason = f"failed: {error}"
        del turns.figures[name]
        turns.absent[name] = reason


def missing(*packages: str) -> str:
    """Return why a peer that needs packages cannot be measured; empty if it can."""
    return "" if all(importlib.util.find_spec(package) for package in packages) else NOT_INSTALLED
