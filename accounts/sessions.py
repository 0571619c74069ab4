"""Sessions in the database (SESSION_ENGINE): by a keyed hash of the cookie, with whose they are and from where."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from adminset import context
from adminset.crypto import digest


class SessionStore(DatabaseStore):
    """Keeps `digest(session key)` where Django keeps the key: a copy of the table signs nobody in."""

    @classmethod
    def get_model_class(cls) -> Any:
        """Give the model of the rows."""
        from accounts.models import PortalSession  # noqa: PLC0415 - apps are not ready when settings name this module

        return PortalSession

    def _get_session_from_db(self) -> Any:
        rows = self.model.objects.filter(
            session_key=digest(self.session_key), expire_date__gt=timezone.now()
        )
        row = rows.first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        """Say whether a key is taken."""
        return bool(self.model.objects.filter(session_key=digest(session_key)).exists())

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Make the row of this session."""
        row = super().create_model_instance(data)
        row.session_key = digest(row.session_key)
        row.user_id = data.get(SESSION_KEY)
        here = context.current.get()
        row.address, row.browser = here.address, here.browser
        row.began_at = row.seen_at = timezone.now()
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Forget a session."""
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=digest(key)).delete()

    async def aexists(self, session_key: str) -> bool:
        """Say whether a key is taken."""
        return await sync_to_async(self.exists)(session_key)

    async def adelete(self, session_key: str | None = None) -> None:
        """Forget a session."""
        await sync_to_async(self.delete)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        """Make the row of this session."""
        return await sync_to_async(self.create_model_instance)(data)

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()
