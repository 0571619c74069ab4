"""`enroll`: exchanges a one-time token for this agent's own credential."""

import os
import sys
from pathlib import Path
from typing import Mapping, Optional

from agent import credential as credentials
from agent import sender as http
from agent.config import Config
from agent.daemon import report
from agent.errors import AgentError, ConfigError
from agent.logs import clean
from agent.sender import Sender

VARIABLE = "ADMINSET_ENROLL_TOKEN"
LONGEST_TOKEN = 512


def read_token(
    path: Optional[str], from_stdin: bool, environ: Mapping[str, str]
) -> str:
    """The enrolment token by file, standard input or environment; never by argv."""
    try:
        if path:
            text = Path(path).read_text(encoding="utf-8")
        else:
            text = sys.stdin.readline() if from_stdin else environ.get(VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"The enrolment token cannot be read ({clean(error)}): give one line of text."
        ) from error
    token = text.strip()
    if not token:
        raise ConfigError(
            "There is no enrolment token: give it by --token-file FILE, by --token-stdin, "
            f"or by the environment variable {VARIABLE}."
        )
    plain = (
        token.isprintable() and " " not in token and all(ord(c) < 128 for c in token)
    )
    if not plain or len(token) > LONGEST_TOKEN:
        raise ConfigError(
            "The enrolment token is not one line of plain characters: "
            "copy it again from the portal."
        )
    return token


def enroll(config: Config, token: str, force: bool) -> str:
    """The summary; the credential file is written before it is returned."""
    if not config.server:
        raise ConfigError("No server is known: give --server URL.")
    path = Path(config.credential_file)
    prepare(path, force)
    sender = Sender(config.server, token, config)
    try:
        reply = sender.post("enroll", report(config.server, config.dmi_dir))
    finally:
        sender.close()
    if reply.action != http.STORED:
        answer = f"status {reply.status}" if reply.status else "no answer"
        raise AgentError(
            f"The portal did not enrol this host ({answer}): {reply.sentence}"
        )
    try:
        credential = credentials.parse(reply.body, config.server)
    except ValueError as error:
        raise AgentError(
            f"The portal's answer is not a credential: {error}."
        ) from error
    save(path, credential)
    return f"enrolled at {config.server} as agent {credential.agent_id}; credential in {path}"


def prepare(path: Path, force: bool) -> None:
    """Fail before the token is spent, not after."""
    if path.exists() and not force:
        raise ConfigError(
            f"This host is already enrolled ({path}): "
            "add --force to replace its credential."
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = os.access(str(path.parent), os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise ConfigError(
            f"The folder {path.parent} cannot be written: "
            "run this as root, or set the option credential_file."
        )


def save(path: Path, credential: credentials.Credential) -> None:
    try:
        credentials.save(path, credential)
    except OSError as error:
        raise AgentError(
            f"The credential could not be written to {path} "
            f"({error.strerror}): mend that and enrol again."
        ) from error
