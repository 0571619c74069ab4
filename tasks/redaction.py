"""Takes the secrets of a run out of its output while it streams; what counts as a spelling of one is adminset.redaction's."""

from __future__ import annotations

from collections.abc import Iterable

from adminset.redaction import MASK, spellings


class StreamRedactor:
    """Redacts bytes that arrive in pieces, even when a secret spans two of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = [form.encode() for form in spellings(secrets)]
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Return what is safe to show now; the possible start of a secret is held."""
        data = self._masked(self._held + data)
        keep = max((self._overlap(data, form) for form in self._forms), default=0)
        cut = len(data) - keep
        self._held = data[cut:]
        return data[:cut]

    def flush(self) -> bytes:
        """Return what was held, at the end of the stream."""
        held, self._held = self._held, b""
        return held

    def _masked(self, data: bytes) -> bytes:
        for form in self._forms:
            data = data.replace(form, MASK.encode())
        return data

    @staticmethod
    def _overlap(data: bytes, form: bytes) -> int:
        """Return how many bytes at the end of `data` could be the start of `form`."""
        longest = min(len(form) - 1, len(data))
        sizes = range(longest, 0, -1)
        return next((size for size in sizes if data.endswith(form[:size])), 0)
