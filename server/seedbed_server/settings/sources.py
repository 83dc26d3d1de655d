"""Where the settings come from: the command line, the environment, a file, the defaults.

What comes first in this list counts.
"""

import argparse
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.spec.errors import SeedbedError
from seedbed.spec.suggestions import did_you_mean
from seedbed_server.settings.declarations import SETTINGS, VARIABLE_PREFIX, Setting, Settings
from seedbed_server.settings.kinds import SWITCH
from seedbed_server.yaml_files import YamlFileError, read_mapping

CONFIG_VARIABLE = "SEEDBED_CONFIG"
OTHER_VARIABLES = (
    "SEEDBED_KERNEL_CACHE_DIR",
    "SEEDBED_TARGET",
    "SEEDBED_TLS",
    "SEEDBED_TLS_CA",
    "SEEDBED_TLS_SERVER_NAME",
    "SEEDBED_TOKEN",
    "SEEDBED_TOKEN_FILE",
    "SEEDBED_TRACEBACK",
)
"""Variables that are read elsewhere: by the kernels, and by the SDK in the same container."""

# How much of a name must be right for the rest to be a mistake. Kubernetes puts SEEDBED_PORT and
# its like into the environment of every container beside a service called seedbed.
SIMILAR = 0.8


class SettingsError(SeedbedError):
    """Settings that are not allowed.

    Args:
        problems: what is wrong, a line each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Given:
    """What a source says about one setting."""

    origin: str
    """What people call it: a flag, a variable, or a key of a file."""
    texts: tuple[str, ...]
    """One text, or several where the setting repeats."""
    folder: Path = Path()
    """What a path begins from, unless it is absolute."""


def add_flags(parser: argparse._ActionsContainer) -> None:
    """Add a flag for each setting.

    argparse keeps the texts as they are: every source's are parsed in one place, with the same
    errors.
    """
    for each in SETTINGS:
        # A switch has no metavar, not even None: Python 3.14 refuses the argument.
        kind: dict[str, Any] = (
            {"action": argparse.BooleanOptionalAction}
            if each.kind is SWITCH
            else {"action": "append", "metavar": each.kind.metavar}
        )
        parser.add_argument(
            each.flag,
            **kind,
            # Without a default of argparse's own, whatever is in the namespace was given.
            default=argparse.SUPPRESS,
            help=f"{each.description} (default: {each.default_text})".replace("%", "%%"),
        )


def read_settings(
    options: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[Settings, dict[str, str]]:
    """Return the settings, and where each one that was given came from, by name.

    Args:
        options: what a parser with the flags has found, and ``config``, the file or None.
        environment: the variables.

    Raises:
        SettingsError: with all that is wrong, each with its flag, variable or key.
    """
    problems = list(_misspelled(environment))
    given: dict[str, Given] = {}
    if file := options.config or environment.get(CONFIG_VARIABLE):
        given |= _from_file(Path(file), problems)
    given |= _from_environment(environment) | _from_flags(options)
    values = {}
    for each in SETTINGS:
        if each.name in given:
            try:
                values[each.name] = _value(each, given[each.name])
            except ValueError as error:
                problems.append(f"{given[each.name].origin} {error}")
    if problems:
        raise SettingsError(problems)
    return Settings(**values), {name: each.origin for name, each in given.items()}


def _value(setting: Setting, given: Given) -> Any:
    value = setting.parse(given.texts)
    return (given.folder / value).absolute() if isinstance(value, Path) else value


def _from_flags(options: argparse.Namespace) -> dict[str, Given]:
    return {
        each.name: Given(each.flag, _texts(getattr(options, each.name)))
        for each in SETTINGS
        if hasattr(options, each.name)
    }


def _texts(value: list[str] | bool) -> tuple[str, ...]:
    return (str(value),) if isinstance(value, bool) else tuple(value)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """Return what the environment sets; an empty variable sets nothing."""
    return {
        each.name: Given("$" + each.variable, _split(each, environment[each.variable]))
        for each in SETTINGS
        if environment.get(each.variable)
    }


def _split(which: Setting, text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(",")) if which.repeats else (text,)


def _misspelled(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with variables that look like a setting's."""
    ours = [CONFIG_VARIABLE, *(each.variable for each in SETTINGS)]
    names = [each.removeprefix(VARIABLE_PREFIX) for each in ours]
    for variable in sorted(environment.keys() - {*ours, *OTHER_VARIABLES}):
        name = variable.removeprefix(VARIABLE_PREFIX)
        if name != variable and (meant := _similar(name, names)):
            yield f"${variable} is no setting; did you mean ${VARIABLE_PREFIX}{meant}?"


def _from_file(path: Path, problems: list[str]) -> dict[str, Given]:
    """Return what a file sets; a key without a value sets nothing."""
    try:
        values = read_mapping(path)
    except YamlFileError as error:
        problems.append(str(error))
        return {}
    settings = {each.name: each for each in SETTINGS}
    given = {}
    for name, value in values.items():
        origin, setting = f"{path}:{name}", settings.get(name)
        texts = value if isinstance(value, list) else [value]
        if setting is None:
            problems.append(f"{origin} is no setting{did_you_mean(name, settings)}")
        elif isinstance(value, list) and not setting.repeats:
            problems.append(f"{origin} must be one value. Received a list")
        elif not texts or not all(isinstance(text, str) for text in texts):
            problems.append(f"{origin} must be a value" + ", or a list of them" * setting.repeats)
        elif value:
            given[name] = Given(origin, tuple(texts), path.absolute().parent)
    return given


def _similar(name: str, names: Iterable[str]) -> str | None:
    """Return the one of some names that another one was perhaps meant to be."""
    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=SIMILAR)), None)
