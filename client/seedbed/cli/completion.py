"""``seedbed completion``: what makes a shell complete commands and options."""

import argparse
from importlib import resources

from seedbed.cli.result import Result

NAME = "completion"
SUMMARY = "print what makes a shell complete seedbed's commands and options"
DESCRIPTION = (
    "Print a script for a shell. Load it where it begins, such as in ~/.bashrc: "
    'eval "$(seedbed completion bash)"; in ~/.zshrc, after compinit: '
    'eval "$(seedbed completion zsh)"; in fish: '
    "seedbed completion fish > ~/.config/fish/completions/seedbed.fish."
)
SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))


def run(options: argparse.Namespace) -> Result:
    """Print the script, which tools/write_completions.py has made."""
    folder = resources.files("seedbed.cli").joinpath("completions")
    text = folder.joinpath(f"seedbed.{options.shell}").read_text(encoding="utf-8")
    return Result({"shell": options.shell, "script": text}, text.rstrip("\n"))
