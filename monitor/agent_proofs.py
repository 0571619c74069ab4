"""Who reports, where that has to be asked of the database: many together, and strangers where they are in nobody's way."""

from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError

from adminset.crypto import digest
from adminset.errors import DomainError
from cmdb.services.agents import AgentIdentity
from cmdb.services.recent import Recent
from monitor import agent_auth, reception
from monitor.agent_load import Load, Misses
from monitor.grouped_writes import Group
from monitor.side_threads import with_connections

# In one query; what SQLite and PostgreSQL take with ease.
MOST_AT_ONCE = 500
# Who proved himself here in the last day is no stranger when he has to again.
ACQUAINTED_SECONDS, MOST_ACQUAINTED = 86_400.0, 50_000
# What says that nobody was recognised.
UNPROVED = frozenset({401, 403})


class Proofs:
    """Proves agents, from an event loop.

    Args:
        load: of the process; who was recognised before counts there, strangers apart.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._strangers = Load(settings.INTAKE_MAX_UNPROVED)
        self._misses = Misses(settings.INTAKE_MISSES_PER_ADDRESS)
        self._acquainted = Recent(ACQUAINTED_SECONDS, MOST_ACQUAINTED)
        # They must not stand behind work that takes its time; agents that come all at once prove themselves together.
        self._group: Group[str, AgentIdentity | DomainError] = Group(
            "agents-prove",
            _proved,
            threads=1,
            most=MOST_AT_ONCE,
            spares=_no_fault_of_all,
        )

    async def ask(self, header: str, address: str) -> AgentIdentity:
        """Say who reports.

        Args:
            header: has a token (`agent_auth.bearer`).

        Raises:
            DomainError: 401 or 403 nobody, 429 too many misses from the address, 503 busy, not let in yet or maintenance.
            DatabaseError: the database is away.
        """
        mark = digest(header)
        known = bool(self._acquainted.get(mark))
        if not known:
            self._misses.check(address)
        with (self._load if known else self._strangers).inside():
            found = await self._group.ask(header)
        if isinstance(found, DomainError):
            if found.status in UNPROVED:
                self._misses.add(address)
                if known:
                    self._acquainted.put(mark, False)
            raise found
        self._acquainted.put(mark, True)
        return found


def _proved(headers: Sequence[str]) -> list[AgentIdentity | DomainError]:
    return with_connections(lambda: _proved_with_paces(headers))


def _proved_with_paces(headers: Sequence[str]) -> list[AgentIdentity | DomainError]:
    found = agent_auth.prove_many(headers)
    # While this thread is at it.
    reception.learn_paces(
        {each.host_id for each in found if isinstance(each, AgentIdentity)}
    )
    return found


def _no_fault_of_all(error: Exception) -> bool:
    return not isinstance(error, DatabaseError)
