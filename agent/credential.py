"""The credential file: who this agent is, and the secret that proves it."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import ConfigError
from agent.files import write_private

ENROLL = "python -m agent enroll --server URL --token-file FILE"
AGENT_ID = re.compile(r"[0-9a-f]{32}")
SECRET = re.compile(r"[A-Za-z0-9._~+/=-]{16,200}")


class Credential(NamedTuple):
    """The answer to `enroll` and the server that gave it."""

    server: str
    agent_id: str
    secret: str

    def __repr__(self) -> str:
        return f"Credential(server={self.server!r}, agent_id={self.agent_id!r})"

    @property
    def token(self) -> str:
        return f"{self.agent_id}.{self.secret}"


def parse(fields: Any, server: str) -> Credential:
    """Raises ValueError unless both fields look as the protocol says."""
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    agent_id, secret = fields.get("agent_id"), fields.get("secret")
    if not isinstance(agent_id, str) or not AGENT_ID.fullmatch(agent_id):
        raise ValueError("agent_id is not 32 hexadecimal digits")
    if not isinstance(secret, str) or not SECRET.fullmatch(secret):
        raise ValueError("secret is missing or of a wrong form")
    return Credential(server, agent_id, secret)


def load(path: str) -> Credential:
    """Raises ConfigError when the file is missing, unreadable or damaged."""
    try:
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        return parse(fields, str(fields["server"]))
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no credential at {path}: run `{ENROLL}` first, "
            "or name the file by the option credential_file."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The credential {path} cannot be read ({error.strerror}): "
            "run the agent as the owner of that file."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"The credential {path} is damaged: remove it and run `{ENROLL}` again."
        ) from error


def save(path: Path, credential: Credential) -> None:
    write_private(path, json.dumps(credential._asdict(), indent=1) + "\n")
