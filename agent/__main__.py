"""The command line: `python -m agent [--once]` and `python -m agent enroll`."""

import argparse
import os
import sys
from typing import List, Optional

from agent import config as configuration
from agent import logs
from agent.config import Config
from agent.errors import AgentError, ConfigError
from agent.version import VERSION


def command_line() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m agent",
        description="Reports this host to AdminSet.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=VERSION)
    top.add_argument("--config", metavar="FILE", help="INI file with a section [agent]")
    top.add_argument("--once", action="store_true", help="report once and end")
    top.set_defaults(command=None)
    commands = top.add_subparsers(dest="command", metavar="enroll|rotate")
    add_enroll(commands.add_parser("enroll", help="exchange a token for a credential"))
    rotate = commands.add_parser("rotate", help="get a new secret in place of the old")
    rotate.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS)
    return top


def add_enroll(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS)
    parser.add_argument("--server", metavar="URL")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--token-file", metavar="FILE")
    source.add_argument("--token-stdin", action="store_true")
    parser.add_argument("--force", action="store_true", help="replace a credential")


def run(options: argparse.Namespace) -> Optional[str]:
    """What to print at the end."""
    config = configuration.from_environment(options.config)
    logs.configure(config.log_level)
    try:
        return start(options, config)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The Python package {error.name} is missing: "
            "install it for the Python that runs the agent."
        ) from error


def start(options: argparse.Namespace, config: Config) -> Optional[str]:
    """The imports wait until the configuration is known to be right."""
    if options.command == "enroll":
        return start_enroll(options, config)
    if options.command == "rotate":
        from agent.rotate import rotate

        return rotate(config)
    if options.once:
        from agent.once import once

        return once(config)
    from agent import daemon

    daemon.run(config)
    return None


def start_enroll(options: argparse.Namespace, config: Config) -> str:
    from agent.enroll import enroll, read_token

    if options.server:
        server = configuration.server_url(options.server, "--server")
        config = config._replace(server=server)
    token = read_token(options.token_file, options.token_stdin, os.environ)
    return enroll(config, token, options.force)


def main(arguments: Optional[List[str]] = None) -> int:
    try:
        summary = run(command_line().parse_args(arguments))
    except AgentError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 1
    if summary:
        sys.stdout.write(summary + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
