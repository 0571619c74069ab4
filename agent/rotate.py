"""`rotate`: a new secret for this agent; the old one ends when the new one is used first."""

from pathlib import Path

from agent import credential as credentials
from agent import sender as http
from agent.config import Config
from agent.daemon import known
from agent.enroll import save
from agent.errors import AgentError
from agent.identity import boot_id
from agent.sender import Sender


def rotate(config: Config) -> str:
    """The summary; the new credential is written before it is returned."""
    old = known(config)
    reply = ask(config, old)
    try:
        new = credentials.parse(reply.body, old.server)
    except ValueError as error:
        raise AgentError(
            f"The portal's answer is not a credential: {error}."
        ) from error
    save(Path(config.credential_file), new)
    return f"new secret for agent {new.agent_id} in {config.credential_file}; restart the agent to use it"


def ask(config: Config, credential: credentials.Credential) -> http.Reply:
    """The answer; raises AgentError unless it is good."""
    sender = Sender(credential.server, credential.token, config)
    try:
        reply = sender.post("rotate", {"boot_id": boot_id()})
    finally:
        sender.close()
    if reply.action != http.STORED:
        answer = f"status {reply.status}" if reply.status else "no answer"
        raise AgentError(f"The portal gave no new secret ({answer}): {reply.sentence}")
    return reply
