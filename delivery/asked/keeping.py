"""Questions of a page that may take long: asked by a person, answered by a worker, looked up by the page until the answer is there.

They live in the cache only: whoever loses one asks again.
"""

import json
import secrets
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from django.core.cache import cache

from adminset.crypto import digest

# Whoever looks away for so long asks again.
SECONDS = 1800
# A worker has answered by then: what is open for longer may be asked again, and counts no more.
OPEN_SECONDS = 180
# Questions of one user that are open at the same time.
MOST_OPEN = 20
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
    asked_at: float = 0
    # Which of the user's places for open questions it holds; "" where none.
    held: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the answer is still on its way."""
        return self.state == ASKED


def _place(key: str) -> str:
    return f"delivery:asked:{key}"


def new(user: Any, kind: str, about: dict[str, Any], language: str) -> Question:
    """Write down a question of a user; who asks so in a web request calls a worker then."""
    key = secrets.token_urlsafe(18)
    question = Question(
        key, kind, user.pk, about, language=language, asked_at=time.time()
    )
    question = replace(question, held=_hold(question))
    cache.set(_same(user, kind, about, language), key, OPEN_SECONDS)
    keep(question)
    return question


def keep(question: Question) -> None:
    """Keep a question as it stands now; one that is decided leaves its place to others."""
    cache.set(_place(question.key), asdict(question), SECONDS)
    held = question.held
    if held and not question.is_open and cache.get(held) == question.key:
        cache.delete(held)


def _hold(question: Question) -> str:
    """Give the place that a question got among the open ones of its user; "" where all are taken."""
    places = (
        f"delivery:asked:open:{question.user_id}:{number}"
        for number in range(MOST_OPEN)
    )
    # Each is taken by one alone, however many ask at once.
    return next((p for p in places if cache.add(p, question.key, OPEN_SECONDS)), "")


def _same(user: Any, kind: str, about: dict[str, Any], language: str) -> str:
    told = digest(json.dumps([kind, about, language], sort_keys=True, default=str))
    return f"delivery:asked:same:{user.pk}:{told}"


def find_same(
    user: Any, kind: str, about: dict[str, Any], language: str, young: float = 0
) -> Question | None:
    """Give the question that a user asked in the same words and that is open still, or was answered a moment ago.

    Args:
        young: how old, in seconds, one may be that is answered.
    """
    key = cache.get(_same(user, kind, about, language))
    found = find_of(user, key, kind) if key else None
    if found is None or found.state == FAILED:
        return None
    age = time.time() - found.asked_at
    return found if found.is_open or age < young else None


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
