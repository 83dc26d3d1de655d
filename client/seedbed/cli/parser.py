"""The parser of the command line: its errors, and its help on narrow terminals."""

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from seedbed.spec.errors import InvalidValueError, shown
from seedbed.spec.suggestions import did_you_mean

# Below so many columns, what an option is stands below its name and not beside it.
NARROW = 60


class Help(argparse.HelpFormatter):
    """Lays out a help for the terminal's width, whatever it is."""

    def __init__(self, prog: str) -> None:
        width = _width()
        super().__init__(prog, max_help_position=24 if width >= NARROW else 6, width=width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Return a description or an epilog, wrapped line by line."""
        return "\n".join(indent + _wrapped(line, width) for line in text.splitlines())


def _wrapped(line: str, width: int) -> str:
    """Return a line cut to a width; an example of a command stays one that a shell takes."""
    is_example = line.startswith("  ")
    parts = textwrap.wrap(
        line,
        width - 2 * is_example,
        subsequent_indent="    " if is_example else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return (" \\\n" if is_example else "\n").join(parts)


def _width() -> int:
    return shutil.get_terminal_size().columns - 2  # as argparse has it


class Parser(argparse.ArgumentParser):
    """A parser that raises its errors, and takes no abbreviations.

    One place then turns every error into a line and an exit code. An option that a later version
    adds would make a script's abbreviation ambiguous.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Help, "allow_abbrev": False, **options})
        self.elsewhere: dict[str, list[str]] = {}
        """The names of other commands by the options that they have."""

    def error(self, message: str) -> NoReturn:
        """Raise an error that names the command's help.

        Raises:
            InvalidValueError: always.
        """
        raise InvalidValueError(f"{message} (see {self.prog} --help)")

    def format_help(self) -> str:
        """Return the help; its first line has only what must be given."""
        words = " ".join([self.prog, "[option ...]", *self._needed()])
        begin = len("usage: ")
        lines = textwrap.wrap(words, _width() - begin, subsequent_indent=" " * begin)
        self.usage = "\n".join(lines).replace("%", "%%")
        return super().format_help()

    def options(self) -> list[str]:
        """Return all names of the options."""
        return list(self._option_string_actions)

    def _needed(self) -> Iterator[str]:
        for action in self._actions:
            if action.option_strings and action.required:
                yield f"{action.option_strings[0]} {action.metavar}"
        for action in self._actions:
            if not action.option_strings:
                optional, several = action.nargs in ("?", "*"), action.nargs in ("*", "+")
                name = f"{action.metavar}{' ...' if several else ''}"
                yield f"[{name}]" if optional else name

    def parse_known_args(  # type: ignore[override]  # one form of argparse's many
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the options; a parser within another is called here, too.

        Raises:
            InvalidValueError: for whatever is not known.
        """
        args = sys.argv[1:] if args is None else args
        self._refuse_unknown_options(args)
        options, surplus = super().parse_known_args(args, namespace)
        if surplus:
            is_option = surplus[0].startswith("-")
            what = "there is no option" if is_option else "there is one argument too many:"
            self.error(f"{what} {surplus[0] if is_option else shown(surplus[0])}")
        return options, []

    def _refuse_unknown_options(self, args: Sequence[str]) -> None:
        """Name the option that is wrong, before what is missing without it."""
        has_commands = self._subparsers is not None
        for argument in args[:1] if has_commands else args:
            option = argument.partition("=")[0]
            if option == "--":
                return
            known = self._option_string_actions
            # As argparse has it: what contains a blank is a value.
            if option.startswith("--") and " " not in argument and option not in known:
                if has_commands:
                    self._refuse_before_command(option)
                self.error(f"there is no option {option}{self._hint(option)}")

    def _hint(self, option: str) -> str:
        """Return which other commands have an option, or else what was perhaps meant."""
        if others := self.elsewhere.get(option):
            return f" here; {', '.join(others)} {'have' if len(others) > 1 else 'has'} it"
        return did_you_mean(option, self.options())

    def _refuse_before_command(self, option: str) -> None:
        known = [*self.options(), *self.elsewhere]
        hint = "" if option in self.elsewhere else did_you_mean(option, known)
        self.error(
            f"there is no option {option} before the command; its options come after it{hint}"
        )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Raise unless a value is one of an argument's choices, which say what is allowed."""
        if action.choices is None or value in action.choices:
            return
        words = [str(each) for each in action.choices]
        allowed = f"must be one of {', '.join(words)}. Received: {shown(value)}"
        # Other programs have commands `help` and `version`.
        option = f"--{value}"
        is_option = option in self._option_string_actions
        hint = f"; did you mean {option!r}?" if is_option else did_you_mean(value, words)
        raise argparse.ArgumentError(action, allowed + hint)
