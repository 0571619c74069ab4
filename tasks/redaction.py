"""Takes known secrets out of text before anybody sees or stores it."""

from __future__ import annotations

import json
from collections.abc import Iterable

MASK = "********"
# A shorter secret would black out half of any text, and show itself by doing so.
SHORTEST = 4
SHORTEST_LINE = 16


def _forms(secrets: Iterable[str]) -> list[str]:
    """Return the spellings to hide, longest first: whole, by line, and as JSON."""
    forms: set[str] = set()
    for secret in secrets:
        forms.update({secret, secret.strip(), json.dumps(secret)[1:-1]})
        forms.add(json.dumps(secret, ensure_ascii=False)[1:-1])
        lines = [line.strip() for line in secret.splitlines()]
        if len(lines) > 1:
            forms.update(line for line in lines if len(line) >= SHORTEST_LINE)
    wanted = (form for form in forms if len(form) >= SHORTEST)
    return sorted(wanted, key=len, reverse=True)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with each of `secrets` (4 characters or more) replaced by a mask.

    Also finds the JSON spelling of a secret and single lines of a private key.
    """
    for form in _forms(secrets):
        text = text.replace(form, MASK)
    return text


class StreamRedactor:
    """Redacts bytes that arrive in pieces, even when a secret spans two of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = [form.encode() for form in _forms(secrets)]
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
