"""One error for everything a person or a machine did that cannot be done: what happened, and how to mend it."""

from collections.abc import Mapping


class DomainError(Exception):
    """Say no with words that serve the page and the API alike.

    Args:
        message: one sentence: what happened, to which object.
        hint: one sentence: what to do about it; may be empty.
        code: a stable word for machines, such as "invalid" or "conflict".
        fields: field name -> sentence, where single inputs are at fault.
        status: the HTTP status that fits.
        retry_after: seconds until another try makes sense, for 429 and 503.
    """

    status = 422

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        code: str = "invalid",
        fields: Mapping[str, str] | None = None,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.fields = dict(fields or {})
        self.status = self.status if status is None else status
        self.retry_after = retry_after

    @property
    def sentence(self) -> str:
        """What happened and what to do about it, as one line for a page or a row."""
        return f"{self.message} {self.hint}".strip()

    def as_envelope(self) -> dict[str, object]:
        """Give the body that every API answers an error with (docs/agent-protocol.md)."""
        return {
            "error": {
                "code": self.code,
                "message": str(self.message),
                "hint": str(self.hint),
                "fields": self.fields,
            }
        }


class NotFound(DomainError):
    """The object does not exist, or the asker may not know that it does."""

    status = 404


class Forbidden(DomainError):
    """The asker is known and may not do this."""

    status = 403


class Conflict(DomainError):
    """Something else stands in the way at this moment: a duplicate, a lock, a newer change."""

    status = 409


class Unavailable(DomainError):
    """A part that this needs is away; the rest of the portal goes on."""

    status = 503
