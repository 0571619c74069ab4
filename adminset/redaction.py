"""Takes secrets out of text before anybody sees or stores it: values that this process knows, and what looks like a secret."""

import html
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

from adminset import audit_seal

MASK = "••••"
# A shorter secret would black out half of any text, and show itself by doing so.
SHORTEST = 4
SHORTEST_LINE = 16
# In the texts of a run only the secrets of that run are looked for; in a log every known one is: so not "root" or "admin".
SHORTEST_KNOWN = 6
MOST_KNOWN = 2000

# All shapes are bounded, so that a hostile text costs no more than its length.
_NAMED = (
    r"(?:passw(?:or)?d|passphrase|secret|private_?key|token|api_?key|authorization"
    r"|cookie|session_?(?:id|key)|recovery_code)[\w-]{0,40}"
)
_QUOTED = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_VALUE = (
    rf"\[\s*(?:{_QUOTED}[\s,]*)*\]|b?{_QUOTED}"
    r"|(?:Bearer|Basic|Digest|Token)[ \t]{1,5}[^\s,;'\"]+|[^\s,;&'\"<>)}\]]+"
)
_SHAPES = (
    # The block of a private key, cut off or not, its line ends escaped or not.
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        MASK,
    ),
    # A token of the portal or of an agent: its first part is public, so that one can find it in the list.
    (
        re.compile(r"\b([0-9a-f]{12}(?:[0-9a-f]{20})?)\.[\w-]{43}(?![\w-])"),
        rf"\1.{MASK}",
    ),
    (re.compile(r"\b(Bearer)[ \t]{1,5}[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    # The password in an address: redis://:password@host.
    (re.compile(r"(://[^\s/@:]{0,100}):[^\s/@]{1,400}@"), rf"\1:{MASK}@"),
    (
        re.compile(
            rf"({_NAMED}['\"]?[ \t]{{0,5}}(?:=>?|:)[ \t]{{0,5}})(?:{_VALUE})",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def spellings(secrets: Iterable[str], shortest: int = SHORTEST) -> list[str]:
    """Give the forms in which secrets stand in texts, longest first: whole, by line, as JSON, as Python, in HTML, in an address."""
    forms: set[str] = set()
    for secret in secrets:
        forms.update({secret, secret.strip(), repr(secret)[1:-1]})
        forms.update({json.dumps(secret)[1:-1], html.escape(secret)})
        forms.update({quote(secret, safe=""), quote_plus(secret)})
        forms.add(json.dumps(secret, ensure_ascii=False)[1:-1])
        lines = [line.strip() for line in secret.splitlines()]
        if len(lines) > 1:
            # The first and the last line of a key are everybody's.
            bare = (line for line in lines if not line.startswith("-----"))
            forms.update(line for line in bare if len(line) >= SHORTEST_LINE)
    wanted = (form for form in forms if len(form) >= shortest)
    return sorted(wanted, key=lambda form: (-len(form), form))


def redact(text: str, secrets: Iterable[str]) -> str:
    """Give `text` with each of `secrets` (4 characters or more) replaced by a mask, in whatever spelling."""
    return _masked(text, spellings(secrets))


def _masked(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        if form in text:
            text = text.replace(form, MASK)
    return text


class KnownSecrets:
    """The plain secrets that this process has handled of late, kept in memory only; the oldest is forgotten first."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._values: OrderedDict[str, None] = OrderedDict()
        self._forms: list[str] | None = []
        self._lock = threading.RLock()

    def add(self, plain: str) -> None:
        """Remember a secret; one of fewer than 6 characters is left out."""
        if len(plain.strip()) < SHORTEST_KNOWN:
            return
        with self._lock:
            if plain not in self._values:
                self._forms = None
            self._values[plain] = None
            self._values.move_to_end(plain)
            while len(self._values) > self._most:
                self._values.popitem(last=False)

    def mask(self, text: str) -> str:
        """Give a text without them."""
        with self._lock:
            if self._forms is None:
                self._forms = spellings(self._values, SHORTEST_KNOWN)
            forms = self._forms
        return _masked(text, forms)


known = KnownSecrets()


def clean(text: str) -> str:
    """Give a text without the secrets that this process knows, and without what looks like one: for logs and stored errors.

    What no database takes (NUL, half characters) is replaced.
    """
    return without_shapes(without_known(text))


def without_known(text: str) -> str:
    """Give a text without the secrets that this process knows, and without what no database takes."""
    return known.mask(audit_seal.clean(text))


def without_shapes(text: str) -> str:
    """Give a text without what looks like a secret."""
    for shape, mask in _SHAPES:
        text = shape.sub(mask, text)
    return text


def without_secrets(query: str) -> str:
    """Give the query of an address `clean`, each value as it was before it was written into the address."""
    values = parse_qsl(query, keep_blank_values=True)
    written = urlencode([(name, clean(value)) for name, value in values])
    return clean(written.replace(quote(MASK), MASK))
