"""The database's clock: the one that all machines share."""

from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now


class DatabaseNow(Now):
    """The time of the database at this moment, in a query or an update."""

    def as_mysql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask MySQL for UTC: its CURRENT_TIMESTAMP is of the time zone of its session."""
        return self.as_sql(compiler, connection, template="UTC_TIMESTAMP(6)", **context)


def database_now() -> datetime:
    """Ask the database what time it is."""
    # Any table with a row will do.
    return ContentType.objects.values_list(DatabaseNow(), flat=True)[:1].get()
