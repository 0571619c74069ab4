"""Asks the questions of pages: writes one down and calls a worker; where none can be called it is said at once."""

from typing import Any

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from adminset import calling
from delivery.asked.keeping import Question, failed, find_same, keep, new

ANSWER = "delivery.answer_question"


def ask(user: Any, kind: str, about: dict[str, Any], *, young: float = 0) -> Question:
    """Ask something that a worker answers; the page looks by the question's key until it is there.

    Who asks the same again while it is open gets the same question.

    Args:
        about: plain values that the answerer gets.
        young: an answer that was asked for so many seconds ago will do.
    """
    language = get_language() or ""
    same = find_same(user, kind, about, language, young)
    if same is not None:
        return same
    question = new(user, kind, about, language)
    if not question.held:
        again = _("Try again when they are answered.")
        words = _("Too many of your questions are open.")
        question = failed(question, words, again, "too_many")
        keep(question)
    elif not calling.send(ANSWER, question.key, queue=settings.QUESTION_QUEUE):
        again = _("Try again in a moment.")
        question = failed(question, _("No worker could be called."), again)
        keep(question)
    return question
