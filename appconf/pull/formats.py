"""How names and values are written for programs: an env-file, JSON, YAML."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml
from rest_framework.renderers import BaseRenderer, JSONRenderer

# Written bare, such a value means the same to shells, systemd, Docker and libraries that read env-files.
PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+", re.ASCII)
# Within double quotes these mean something to a shell and to systemd.
SPECIAL = re.compile(r'(["\\$`])')


def env_line(name: str, value: str) -> str:
    """Write one line of an env-file: NAME=plain, else NAME="with escapes", as a shell and systemd read it."""
    if PLAIN.fullmatch(value):
        return f"{name}={value}\n"
    escaped = SPECIAL.sub(r"\\\1", value)
    return f'{name}="{escaped}"\n'


def env_file(values: Mapping[str, str]) -> str:
    """Write an env-file, a variable after the other by name."""
    return "".join(env_line(name, values[name]) for name in sorted(values))


class _Text(BaseRenderer):
    """Writes a mapping; an error, which has values that are no texts, is written as JSON."""

    charset = "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write it."""
        answer = (renderer_context or {}).get("response")
        if answer is not None and answer.status_code >= 400:
            answer["Content-Type"] = "application/json"
            return json.dumps(data, ensure_ascii=False).encode()
        return self.written(data).encode()

    def written(self, data: Any) -> str:
        """Write what is no error."""
        raise NotImplementedError


class EnvRenderer(_Text):
    """An env-file."""

    media_type = "text/plain"
    format = "env"

    def written(self, data: Any) -> str:
        """Write lines."""
        return env_file(data)


class YamlRenderer(_Text):
    """YAML with plain texts only."""

    media_type = "application/yaml"
    format = "yaml"

    def written(self, data: Any) -> str:
        """Write it."""
        return yaml.safe_dump(data, allow_unicode=True, sort_keys=True)


RENDERERS = (JSONRenderer, EnvRenderer, YamlRenderer)
