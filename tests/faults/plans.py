"""What goes wrong on a connection, and the schedules that draw it by a seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

MIB = 2**20

Kind = Literal[
    "nothing", "cut", "half-close", "stall", "delay", "flip", "trickle", "refuse", "silence"
]


@dataclass(frozen=True, slots=True)
class Plan:
    """The one fault of a connection, and the byte that it waits for."""

    kind: Kind = "nothing"
    byte: int = 0
    """How many bytes of its direction pass unharmed."""
    to_server: bool = False
    """Its direction."""
    bit: int = 0
    """Which bit of the byte a flip changes."""
    seconds: float = 0.0
    """How long a delay lasts."""
    bytes_per_second: int = 0
    """How fast a trickle is."""


Schedule = Callable[[Random], Plan]
"""Draws a connection's plan."""


def always(plan: Plan) -> Schedule:
    """Return the schedule of one plan for all."""
    return lambda _: plan


def in_turn(*plans: Plan) -> Schedule:
    """Return a schedule that gives each plan to one connection, and the last to all others."""
    left = list(plans)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def mostly_good(plan: Schedule, share: float) -> Schedule:
    """Return a schedule that leaves all but a share of the connections alone."""
    return lambda random: plan(random) if random.random() < share else Plan()


def any_of(*schedules: Schedule) -> Schedule:
    """Return a schedule that draws one of several for each connection."""
    return lambda random: random.choice(schedules)(random)


def cuts(random: Random) -> Plan:
    """Cut after up to 16 MiB of answers, or up to 4 KiB of requests."""
    to_server = random.random() < 0.25
    return Plan("cut", byte=_byte(random, to_server=to_server), to_server=to_server)


def cuts_within_a_mebibyte(random: Random) -> Plan:
    """Cut before a mebibyte of answers has passed."""
    return Plan("cut", byte=random.randrange(MIB))


def half_closes(random: Random) -> Plan:
    """End one direction, and leave the other one open."""
    to_server = random.random() < 0.25
    return Plan("half-close", byte=_byte(random, to_server=to_server), to_server=to_server)


def stalls(random: Random) -> Plan:
    """Pass nothing more, and keep the connection open."""
    to_server = random.random() < 0.25
    return Plan("stall", byte=_byte(random, to_server=to_server), to_server=to_server)


def delays(random: Random) -> Plan:
    """Pass nothing for up to half a second."""
    to_server = random.random() < 0.25
    return Plan(
        "delay",
        byte=_byte(random, to_server=to_server),
        to_server=to_server,
        seconds=random.uniform(0.01, 0.5),
    )


def flips_of_answers(random: Random) -> Plan:
    """Change one bit on the way to the client."""
    return Plan("flip", byte=_byte(random, to_server=False), bit=random.randrange(8))


def flips_of_requests(random: Random) -> Plan:
    """Change one bit on the way to the server."""
    return Plan("flip", byte=_byte(random, to_server=True), bit=random.randrange(8), to_server=True)


def refusals(_: Random) -> Plan:
    """Close the connection at once."""
    return Plan("refuse")


def silences(_: Random) -> Plan:
    """Accept the connection, and never say anything."""
    return Plan("silence")


def trickles(random: Random) -> Plan:
    """Pass answers at 8 to 64 MiB a second."""
    return Plan("trickle", bytes_per_second=random.randrange(8 * MIB, 64 * MIB))


def _byte(random: Random, *, to_server: bool) -> int:
    """Return after how many bytes it happens: anywhere, and as often among the first ones."""
    most = 4096 if to_server else 16 * MIB
    if random.random() < 0.5:
        return random.randrange(most)
    return int(math.exp(random.uniform(0, math.log(most))))
