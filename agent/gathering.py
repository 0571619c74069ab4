"""All that is collected beside the samples: chores of this host, the local socket, SNMP."""

import importlib
from typing import Any, Dict, Iterable, List, Optional

from agent.chores import chores
from agent.collectors.series import Values
from agent.config import Config
from agent.errors import ConfigError
from agent.push import Push
from agent.snmp_devices import devices
from agent.tables import Background, Chore, Table


class Gathering:
    """Its threads run from `start` to `stop`; asked, it answers for all of them."""

    def __init__(self, config: Config) -> None:
        self.push: Optional[Push] = None
        if config.push_listen:
            self.push = Push(config.push_listen)
        own = chores(config.custom_dir, self.push)
        self.threads = [Background("background", own)]
        if config.snmp_file:
            self.threads.append(Background("snmp", snmp_chores(config.snmp_file)))

    def start(self) -> None:
        for thread in self._all():
            thread.start()

    def stop(self) -> None:
        for thread in self._all():
            thread.stop()

    def _all(self) -> List[Any]:
        return [*self.threads, *([self.push] if self.push else [])]

    def values(self) -> Values:
        """What is to go into a sample."""
        together: Values = {}
        for thread in self.threads:
            together.update(thread.values())
        return together

    def left_out(self) -> Dict[str, int]:
        together: Dict[str, int] = {}
        for thread in self.threads:
            together.update(thread.left_out())
        return together

    def undelivered(self) -> List[Table]:
        """Tables that the portal does not have in this state."""
        return [each for thread in self.threads for each in thread.undelivered()]

    def deliver(self, tables: Iterable[Table]) -> None:
        """To be called when the portal has taken them."""
        taken = list(tables)
        for thread in self.threads:
            thread.deliver(taken)


def snmp_chores(path: str) -> List[Chore]:
    """pysnmp is loaded here and not before: it takes more memory than all the rest."""
    found = devices(path)
    try:
        snmp = importlib.import_module("agent.snmp")
    except ImportError as error:
        raise ConfigError(
            "The option snmp_file needs the Python package pysnmp (7.1 or newer, "
            "Python 3.9 or newer): install it, or leave the option out."
        ) from error
    return [Chore("snmp", snmp.SECONDS, snmp.Poller(found).collect)] if found else []
