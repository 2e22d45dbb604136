"""Run one service of docker-compose.yml without Docker: its command, in exactly its environment.

`python deploy/by_hand.py ENV_FILE SERVICE [OLD=NEW …]` prints nothing and becomes the service's process. OLD=NEW
replaces text in commands and values, for what containers have and this machine has not: host names, ports, folders.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).resolve().parent.parent / "docker-compose.yml"
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<operator>[-?])(?P<word>[^}]*))?\})")
INHERITED = ("HOME", "LANG", "PATH", "TZ")


def load(path: Path = COMPOSE) -> dict[str, Any]:
    """The file as YAML with its anchors resolved and its variables as they stand."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def expand(value: Any, variables: Mapping[str, str]) -> Any:
    """`${NAME:?message}`, `${NAME:-default}` and `$$` replaced throughout, as the Compose specification says.

    Raises ValueError with the message of a required variable that is unset or empty.
    """
    if isinstance(value, dict):
        return {key: expand(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, variables) for item in value]
    return VARIABLE.sub(lambda found: _value(found, variables), value) if isinstance(value, str) else value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, operator = found["name"], found["operator"]
    if name is None:
        return "$"
    if variables.get(name):
        return variables[name]
    if operator == "?":
        raise ValueError(f"required variable {name} is missing a value: {found['word']}")
    return found["word"] or ""


def env_file(path: Path) -> dict[str, str]:
    """NAME=value lines; empty lines and comments are skipped."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]


def process(service: Mapping[str, Any], replacements: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of an expanded service, with local stand-ins for what only containers have."""

    def local(text: str) -> str:
        for old, new in replacements.items():
            text = text.replace(old, new)
        return text

    environment = {name: local(value) for name, value in service.get("environment", {}).items()}
    return [local(word) for word in service["command"]], environment


if __name__ == "__main__":
    variables = env_file(Path(sys.argv[1]))
    chosen = expand(load()["services"][sys.argv[2]], variables)
    command, environment = process(chosen, dict(word.split("=", 1) for word in sys.argv[3:]))
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    os.execvpe(command[0], command, kept | environment)  # noqa: S606 (the point of it)
