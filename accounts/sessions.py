"""Sessions in the database (SESSION_ENGINE): by a keyed hash of the cookie, with whose they are and from where."""

from datetime import timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import IntegrityError, transaction
from django.utils import timezone

from adminset import context
from adminset.crypto import digest

# Session key: how the user signed in ("password", "password+totp", "ldap", "oidc"); goes into the row and the trail.
METHOD = "sign_in_method"


class SessionStore(DatabaseStore):
    """Keeps `digest(session key)` where Django keeps the key: a copy of the table signs nobody in.

    A row begins once and ends at the latest SESSION_COOKIE_AGE later: a later save changes neither that nor where it began.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Any = None

    @classmethod
    def get_model_class(cls) -> Any:
        """Give the model of the rows."""
        from accounts.models import PortalSession  # noqa: PLC0415 - apps are not ready when settings name this module

        return PortalSession

    @property
    def row(self) -> Any:
        """The row that this session was read from, None for one that is new or has ended."""
        self._get_session()  # type: ignore[attr-defined]
        return self._row

    def _rows(self, key: str | None) -> Any:
        return self.get_model_class().objects.filter(session_key=digest(key or ""))

    def _get_session_from_db(self) -> Any:
        self._row = self._rows(self.session_key).alive().first()
        if self._row is None:
            self._session_key = None
        return self._row

    def exists(self, session_key: str) -> bool:
        """Say whether a key is taken."""
        return bool(self._rows(session_key).exists())

    def save(self, must_create: bool = False) -> None:
        """Write the session: a new row, or what changes in the one that stands.

        Raises:
            CreateError: the key of a new session is taken.
            UpdateError: the session ended meanwhile; it does not come back.
        """
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        changing = {
            "session_data": self.encode(data),
            "user_id": data.get(SESSION_KEY),
            "method": data.get(METHOD, ""),
        }
        if must_create:
            self._row = self._insert(changing)
        elif not self._rows(self.session_key).update(**changing):
            raise UpdateError

    def _insert(self, values: dict[str, Any]) -> Any:
        here, now = context.current.get(), timezone.now()
        try:
            with transaction.atomic():
                return self.get_model_class().objects.create(
                    session_key=digest(self.session_key or ""),
                    expire_date=now + timedelta(seconds=settings.SESSION_COOKIE_AGE),
                    address=here.address[:64],
                    browser=here.browser[:300],
                    began_at=now,
                    seen_at=now,
                    **values,
                )
        except IntegrityError as error:
            if self.exists(self.session_key or ""):
                raise CreateError from error
            raise

    def cycle_key(self) -> None:
        """Change the key: a visitor who signs in begins anew, a user's session goes on as old as it is."""
        before = self.row
        super().cycle_key()
        if before is not None and before.user_id is not None:
            kept = ("began_at", "seen_at", "expire_date", "address", "browser")
            values = {name: getattr(before, name) for name in kept}
            self._rows(self.session_key).update(**values)
            vars(self._row).update(values)

    def flush(self) -> None:
        """End the session here and now."""
        super().flush()
        self._row = None

    def delete(self, session_key: str | None = None) -> None:
        """Forget a session."""
        key = session_key or self.session_key
        if key is not None:
            self._rows(key).delete()

    async def aexists(self, session_key: str) -> bool:
        """Say whether a key is taken."""
        return await sync_to_async(self.exists)(session_key)

    async def asave(self, must_create: bool = False) -> None:
        """Write the session."""
        await sync_to_async(self.save)(must_create)

    async def acreate(self) -> None:
        """Begin a session."""
        await sync_to_async(self.create)()

    async def acycle_key(self) -> None:
        """Change the key."""
        await sync_to_async(self.cycle_key)()

    async def adelete(self, session_key: str | None = None) -> None:
        """Forget a session."""
        await sync_to_async(self.delete)(session_key)

    async def _aget_session_from_db(self) -> Any:
        return await sync_to_async(self._get_session_from_db)()
