"""What can end the agent: each error is one plain sentence and an exit code."""


class AgentError(Exception):
    """The server or the network said no."""

    exit_code = 1


class ConfigError(AgentError):
    """The operator has to mend something on this host."""

    exit_code = 2
