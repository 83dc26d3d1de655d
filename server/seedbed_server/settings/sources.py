"""Where the settings come from: the command line, then the environment, then the defaults."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from seedbed.spec.errors import SeedbedError
from seedbed_server.settings.declarations import SETTINGS, Setting, Settings
from seedbed_server.settings.kinds import SWITCH


class SettingError(SeedbedError):
    """A setting has a value that is not allowed."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a source says about one setting."""

    origin: str
    """What an error calls it: a flag or a variable."""
    texts: tuple[str, ...]
    """One text, or several where the setting repeats."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each setting.

    argparse keeps the texts as they are: every source's are parsed in one place, with the same
    errors.
    """
    for each in SETTINGS:
        action: type[argparse.Action] | str = "append"
        metavar: str | None = each.kind.metavar
        if each.kind is SWITCH:
            action, metavar = argparse.BooleanOptionalAction, None
        parser.add_argument(
            each.flag,
            action=action,
            metavar=metavar,
            # Without a default of argparse's own, whatever is in the namespace was given.
            default=argparse.SUPPRESS,
            help=f"{each.description} (default: {each.default_text})".replace("%", "%%"),
        )


def from_flags(options: argparse.Namespace) -> dict[str, Given]:
    """Return what the command line sets, by the names of the settings."""
    return {
        each.name: Given(each.flag, _texts(getattr(options, each.name)))
        for each in SETTINGS
        if hasattr(options, each.name)
    }


def from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """Return what the environment sets; an empty variable sets nothing."""
    return {
        each.name: Given("$" + each.variable, _split(each, environment[each.variable]))
        for each in SETTINGS
        if environment.get(each.variable)
    }


def read_settings(given: Mapping[str, Given]) -> Settings:
    """Return the settings, with the defaults of those that no source gives.

    Raises:
        SettingError: naming the flag or the variable.
    """
    values = {}
    for each in SETTINGS:
        if each.name in given:
            try:
                values[each.name] = each.parse(given[each.name].texts)
            except ValueError as error:
                raise SettingError(f"{given[each.name].origin} {error}") from None
    return Settings(**values)


def _texts(value: list[str] | bool) -> tuple[str, ...]:
    return (str(value),) if isinstance(value, bool) else tuple(value)


def _split(which: Setting, text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",")) if which.repeats else (text,)
