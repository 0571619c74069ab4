"""Questions of a page that may take long: asked by a person, answered by a worker, looked up by the page until the answer is there.

They live in the cache only: whoever loses one asks again.
"""

import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.core.cache import cache

# Whoever looks away for so long asks again.
SECONDS = 1800
ASKED, ANSWERED, FAILED = "asked", "answered", "failed"


@dataclass(frozen=True)
class Question:
    """Something that somebody wants to know, and how far that is.

    Attributes:
        kind: which answerer it is for. about: plain values that it gets.
        state: asked, answered (`answer` holds plain values) or failed (`message`, `hint`: why, and what to do; `code` for programs).
    """

    key: str
    kind: str
    user_id: int
    about: dict[str, Any] = field(default_factory=dict)
    state: str = ASKED
    answer: Any = None
    message: str = ""
    hint: str = ""
    code: str = ""
    language: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the answer is still on its way."""
        return self.state == ASKED


def _place(key: str) -> str:
    return f"delivery:asked:{key}"


def new(user: Any, kind: str, about: dict[str, Any], language: str) -> Question:
    """Write down a question of a user; who asks so in a web request calls a worker then."""
    key = secrets.token_urlsafe(18)
    question = Question(key, kind, user.pk, about, language=language)
    keep(question)
    return question


def keep(question: Question) -> None:
    """Keep a question as it stands now."""
    cache.set(_place(question.key), asdict(question), SECONDS)


def find(key: str) -> Question | None:
    """Give a question by its key; None where it is forgotten."""
    found = cache.get(_place(key))
    return Question(**found) if isinstance(found, dict) else None


def find_of(user: Any, key: str, kind: str) -> Question | None:
    """Give a question of this kind that the user asked; nobody else's."""
    found = find(key)
    mine = found is not None and found.user_id == user.pk and found.kind == kind
    return found if mine else None


def failed(question: Question, message: str, hint: str, code: str = "") -> Question:
    """Give a question that could not be answered, with why and what to do about it."""
    return replace(question, state=FAILED, message=message, hint=hint, code=code)
