"""The ends of the ranges that pyproject.toml allows for protobuf and grpcio, as pip takes them.

python tests/ranges/requirements.py oldest
python tests/ranges/requirements.py newest
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
RANGE = re.compile(r"(protobuf|grpcio[\w-]*)>=([\d.]+),<(\d+)")


def requirements(end: str) -> list[str]:
    """Return each package's lowest version, or any of its highest major version."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    texts = [*project["dependencies"], *project["optional-dependencies"]["server"]]
    return [
        f"{name}=={lowest}" if end == "oldest" else f"{name}>={int(above) - 1},<{above}"
        for name, lowest, above in (match.groups() for match in map(RANGE.match, texts) if match)
    ]


if __name__ == "__main__":
    print(*requirements(sys.argv[1]), sep="\n")
