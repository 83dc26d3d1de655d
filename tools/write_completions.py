"""Writes what makes shells complete the command line, from its parser.

    python tools/write_completions.py [--check]

The scripts are part of the package, so that completion needs nothing else installed. With `--check`
nothing is written, and the exit code is 1 if one is not up to date.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab

from seedbed.cli.completion import SHELLS
from seedbed.cli.example import manifests
from seedbed.cli.program import command_line
from seedbed.spec.dtypes import Dtype
from seedbed.spec.initializers import INITIALIZERS

FOLDER = Path(__file__).parents[1] / "client" / "seedbed" / "cli" / "completions"
INITIALIZER_NAMES = sorted(each.name() for each in INITIALIZERS.values())

# A word that is replaced by what fish has for files: it knows quotes, and --option=value.
FISH_FILES = "FILES"
# shtab's own does not complete a name with a blank.
FILES = {
    "bash": "_seedbed_files",
    "zsh": "_files",
    "fish": FISH_FILES,
    "preamble": {"bash": '_seedbed_files() {\n  compgen -f -- "$1"\n}'},
}
FILES_OR_INITIALIZERS = {
    "bash": "_seedbed_files_or_initializers",
    "zsh": "_seedbed_files_or_initializers",
    "fish": f"{FISH_FILES} {' '.join(INITIALIZER_NAMES)}",
    "preamble": {
        "bash": f"""_seedbed_files_or_initializers() {{
  compgen -f -- "$1"
  compgen -W "{" ".join(INITIALIZER_NAMES)}" -- "$1"
}}""",
        "zsh": f"""_seedbed_files_or_initializers() {{
  _alternative 'files:file:_files' 'initializers:initializer:({" ".join(INITIALIZER_NAMES)})'
}}""",
    },
}

# Bash splits words at = and :, which shtab does not know.
BASH_WORDS = """
# Gives shtab's function an option and its value as two words where they were typed as
# --option=value, and a value such as 1/4:0 or stddev=0.02 as one.
_seedbed() {
  local word blanks rest=$COMP_LINE words=()
  for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    blanks=${rest%%[![:space:]]*}
    rest=${rest:${#blanks}}
    rest=${rest#"$word"}
    if [[ -n $blanks || ${#words[@]} -eq 0 ]]; then
      words+=("$word")
    elif [[ $word == = && ${words[-1]} == --* ]]; then
      words+=("")
    else
      words[-1]+=$word
    fi
  done
  local COMP_WORDS=("${words[@]}") COMP_CWORD=$((${#words[@]} - 1))
  _shtab_seedbed
}

complete -o bashdefault -F _seedbed seedbed
"""


def scripts() -> dict[Path, str]:
    """Return the text of each script by its path."""
    return {FOLDER / f"seedbed.{shell}": _script(shell) for shell in SHELLS}


def _script(shell: str) -> str:
    program = command_line()
    for command in _commands(program):
        # Shells show one line for each command: its summary.
        command.description = None
        for action in command._actions:  # noqa: SLF001
            _say_what_completes(action, command.prog.split()[-1])
            if shell == "zsh":
                _spell_for_zsh(action)
    text = shtab.complete(program, shell=shell).rstrip() + "\n"
    if shell == "bash":
        return text + BASH_WORDS
    if shell == "fish":
        text = text.replace(f'-xka "{FISH_FILES}', '-rFka "')
        return text.replace(f'-ka "{FISH_FILES}', '-Fka "')
    return text


def _commands(program: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in program._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield from action.choices.values()


def _say_what_completes(action: Any, command: str) -> None:
    words = str(action.metavar or "").replace(".", "|").split("|")
    if "INITIALIZER" in words:
        if "MANIFEST" in words:
            action.complete = FILES_OR_INITIALIZERS
        else:
            action.choices = INITIALIZER_NAMES
    elif {"FILE", "FOLDER", "MANIFEST"}.intersection(words):
        action.complete = FILES
    elif action.dest == "dtype":
        action.choices = [each.value for each in Dtype]
    elif command == "example" and action.dest == "name":
        action.choices = sorted(manifests())


def _spell_for_zsh(action: argparse.Action) -> None:
    """Escape the colons of a placeholder, and let a value follow = as well as a blank."""
    if isinstance(action.metavar, str):
        action.metavar = action.metavar.replace(":", "\\:")
    if action.option_strings and action.nargs != 0:
        action.option_strings = [
            f"{each}=" if each.startswith("--") else each for each in action.option_strings
        ]


def main() -> int:
    """Write them, or compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare and write nothing")
    is_check = options.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    stale = [
        path
        for path, text in scripts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if is_check:
            print(f"{path} is not up to date: python tools/write_completions.py", file=sys.stderr)
        else:
            path.write_text(scripts()[path], encoding="utf-8")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
