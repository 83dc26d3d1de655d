"""``seedbed example``: manifests to begin with."""

import argparse
from importlib import resources

from seedbed.cli.result import Result
from seedbed.reports.text import pairs
from seedbed.spec.errors import InvalidValueError
from seedbed.spec.suggestions import did_you_mean

NAME = "example"
SUMMARY = "print a manifest to begin with"
DESCRIPTION = "Print one of the manifests that come with seedbed; without a name, list them."
SUFFIX = ".yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="such as gpt2-small")


def run(options: argparse.Namespace) -> Result:
    """Print it, or list them."""
    texts = manifests()
    if options.name is None:
        first_lines = {name: text.splitlines()[0].lstrip("# ") for name, text in texts.items()}
        return Result({"examples": first_lines}, pairs(first_lines.items()))
    if options.name not in texts:
        hint = did_you_mean(options.name, texts)
        allowed = f"one of {', '.join(texts)}"
        raise InvalidValueError(f"NAME must be {allowed}. Received: {options.name!r}{hint}")
    text = texts[options.name]
    return Result({"name": options.name, "manifest": text}, text.rstrip("\n"))


def manifests() -> dict[str, str]:
    """Return the text of each manifest that comes with seedbed, by its name."""
    folder = resources.files("seedbed").joinpath("examples")
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(SUFFIX))
    return {
        name.removesuffix(SUFFIX): folder.joinpath(name).read_text(encoding="utf-8")
        for name in found
    }
