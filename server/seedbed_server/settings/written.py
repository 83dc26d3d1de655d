"""The settings as a file that gives the same ones."""

from collections.abc import Mapping

from seedbed_server.settings.declarations import SETTINGS, Settings
from seedbed_server.yaml_files import line_of


def written(settings: Settings, origins: Mapping[str, str]) -> str:
    """Return YAML with every setting, and where its value came from beside it.

    Args:
        settings: the values.
        origins: where those that were given came from, by name.
    """
    lines, comments = [], []
    for each in SETTINGS:
        value = getattr(settings, each.name)
        lines.append(
            line_of(each.name, each.write(value)) if value is not None else f"{each.name}:"
        )
        default = "default" if value is not None else f"default: {each.unset}"
        comments.append(origins.get(each.name, default))
    width = max(map(len, lines))
    return "".join(
        f"{line:{width}}  # {comment}\n" for line, comment in zip(lines, comments, strict=True)
    )
