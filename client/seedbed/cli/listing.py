"""``seedbed list``: every initializer and its parameters."""

import argparse

from seedbed.cli.arguments import client_of
from seedbed.cli.result import Result
from seedbed.reports.text import printable, table
from seedbed.spec.info import InitializerInfo

NAME = "list"
SUMMARY = "list the initializers and their parameters"
DESCRIPTION = (
    "List every initializer with its other names and its parameters' defaults. "
    "--json has their descriptions."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no arguments of its own."""


def run(options: argparse.Namespace) -> Result:
    """List them."""
    with client_of(options) as client:
        found = client.list_initializers(timeout_seconds=options.timeout_seconds)
    rows = [
        [printable(text) for text in (each.name, _other_names(each), _parameters(each))]
        for each in found
    ]
    return Result(
        {"initializers": found}, table(("initializer", "other names", "parameters"), rows)
    )


def _other_names(info: InitializerInfo) -> str:
    return ", ".join((info.field, *info.aliases))


def _parameters(info: InitializerInfo) -> str:
    return ", ".join(
        parameter.name if parameter.default is None else f"{parameter.name}={parameter.default}"
        for parameter in info.parameters
    )
