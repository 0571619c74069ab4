"""Has the database refuse what the model refuses: a line of the audit trail is never changed and never deleted.

A migration that alters the table of audit entries ends with `install`: SQLite makes such a table anew, and its triggers are gone.
"""

import logging
from typing import Any

from django.db import DatabaseError, transaction

logger = logging.getLogger(__name__)

ENTRIES, CHAIN = "adminset_auditentry", "adminset_auditchain"
WORDS = "The audit trail only grows: its lines are never changed and never deleted."
NAMES = {
    "audit_entry_update": ENTRIES,
    "audit_entry_delete": ENTRIES,
    "audit_chain_update": CHAIN,
    "audit_chain_delete": CHAIN,
}
# SQLite's REPLACE and the others' TRUNCATE delete without the trigger of DELETE.
MORE_NAMES = {
    "sqlite": {"audit_entry_replace": ENTRIES},
    "postgresql": {"audit_entry_truncate": ENTRIES, "audit_chain_truncate": CHAIN},
}
# A user's key may go (the name stays), and place and seal come once, after the commit; all else stands.
FIXED = (
    "id",
    "at",
    "actor_kind",
    "actor_name",
    "verb",
    "target_type",
    "target_id",
    "target_name",
    "changes",
    "reason",
    "request_id",
    "address",
    "mac",
)


def install(connection: Any) -> bool:
    """Make the triggers anew.

    Returns:
        False where the database has none or does not let us make them; `verify_audit` says so then.
    """
    drop(connection)
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement in _statements(connection.vendor):
                cursor.execute(statement)
    except DatabaseError as error:
        # MariaDB: the user lacks the privilege TRIGGER, or the binary log forbids it.
        logger.warning("the database does not protect the audit trail: %s", error)
        return False
    return bool(_names(connection.vendor))


def drop(connection: Any) -> None:
    """Take the triggers away: for tests, whose tables are emptied, and before they are made anew."""
    with connection.cursor() as cursor:
        for name, table in _names(connection.vendor).items():
            where = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{where}")


def missing(connection: Any) -> list[str]:
    """Name the triggers that ought to be there and are not."""
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'",
        "mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
    }
    if connection.vendor not in catalogue:
        return sorted(NAMES)
    with connection.cursor() as cursor:
        cursor.execute(catalogue[connection.vendor])
        there = {row[0] for row in cursor.fetchall()}
    return sorted(set(_names(connection.vendor)) - there)


def _names(vendor: str) -> dict[str, str]:
    known = vendor in {"sqlite", "postgresql", "mysql"}
    return NAMES | MORE_NAMES.get(vendor, {}) if known else {}


def _statements(vendor: str) -> list[str]:
    made = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}
    return made[vendor]() if vendor in made else []


def _sqlite() -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    taken = f"SELECT 1 FROM {ENTRIES} WHERE id = NEW.id OR position = NEW.position"  # noqa: S608 - our own table's name
    return [
        f"CREATE TRIGGER audit_entry_update BEFORE UPDATE ON {ENTRIES} WHEN NOT ({_stands('IS')}) {refuse}",
        f"CREATE TRIGGER audit_entry_delete BEFORE DELETE ON {ENTRIES} {refuse}",
        f"CREATE TRIGGER audit_entry_replace BEFORE INSERT ON {ENTRIES} WHEN EXISTS ({taken}) {refuse}",
        f"CREATE TRIGGER audit_chain_update BEFORE UPDATE ON {CHAIN} WHEN NEW.position < OLD.position {refuse}",
        f"CREATE TRIGGER audit_chain_delete BEFORE DELETE ON {CHAIN} {refuse}",
    ]


def _postgresql() -> list[str]:
    rows = "FOR EACH ROW {} EXECUTE FUNCTION audit_refuse()"
    table = "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    changed = f"WHEN (NOT ({_stands('IS NOT DISTINCT FROM')}))"
    lower = "WHEN (NEW.position < OLD.position)"
    return [
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE TRIGGER audit_entry_update BEFORE UPDATE ON {ENTRIES} {rows.format(changed)}",
        f"CREATE TRIGGER audit_entry_delete BEFORE DELETE ON {ENTRIES} {rows.format('')}",
        f"CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON {ENTRIES} {table}",
        f"CREATE TRIGGER audit_chain_update BEFORE UPDATE ON {CHAIN} {rows.format(lower)}",
        f"CREATE TRIGGER audit_chain_delete BEFORE DELETE ON {CHAIN} {rows.format('')}",
        f"CREATE TRIGGER audit_chain_truncate BEFORE TRUNCATE ON {CHAIN} {table}",
    ]


def _mysql() -> list[str]:
    refuse = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{WORDS}'"
    # Its comparisons overlook case and accents unless told to look at the bytes.
    stands = _stands("<=>", "BINARY ")
    return [
        f"CREATE TRIGGER audit_entry_update BEFORE UPDATE ON {ENTRIES} FOR EACH ROW "
        f"BEGIN IF NOT ({stands}) THEN {refuse}; END IF; END",
        f"CREATE TRIGGER audit_entry_delete BEFORE DELETE ON {ENTRIES} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER audit_chain_update BEFORE UPDATE ON {CHAIN} FOR EACH ROW "
        f"BEGIN IF NEW.position < OLD.position THEN {refuse}; END IF; END",
        f"CREATE TRIGGER audit_chain_delete BEFORE DELETE ON {CHAIN} FOR EACH ROW {refuse}",
    ]


def _stands(same: str, cast: str = "") -> str:
    """Write the condition of an update that takes nothing away, with the vendor's comparison that knows NULL."""

    def kept(name: str) -> str:
        return f"{cast}NEW.{name} {same} {cast}OLD.{name}"

    fixed = " AND ".join(kept(name) for name in FIXED)
    actor = f"(NEW.actor_id IS NULL OR {kept('actor_id')})"
    placed = f"((OLD.position IS NULL AND OLD.seal = '') OR ({kept('position')} AND {kept('seal')}))"
    return f"{fixed} AND {actor} AND {placed}"
