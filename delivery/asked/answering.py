"""Answers the questions of pages, in a worker: lists of references, plans, the start of a deploy."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import translation
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.asked.keeping import ANSWERED, Question, failed, find, keep

logger = logging.getLogger(__name__)
# Kind of question -> who answers it: (user, plain values) -> plain values.
Answerer = Callable[[Any, dict[str, Any]], Any]
ANSWERERS: dict[str, Answerer] = {}


def answer(key: str) -> None:
    """Answer a question, as the user who asked it and in his or her language; nothing where it is forgotten or answered."""
    question = find(key)
    if question is None or not question.is_open:
        return
    with translation.override(question.language or None):
        keep(_answered(question))


def _answered(question: Question) -> Question:
    user = get_user_model().objects.filter(pk=question.user_id).first()
    answerer = ANSWERERS.get(question.kind)
    if user is None or not user.may_sign_in or answerer is None:
        return failed(question, _("You may not ask this any more."), "")
    try:
        found = answerer(user, question.about)
    except DomainError as error:
        return failed(question, str(error.message), str(error.hint), error.code)
    except Exception:
        # The page waits: it is told, and the log says why.
        logger.exception("a question of kind %s could not be answered", question.kind)
        why = _("The log of the worker says why. Try again.")
        return failed(question, _("This could not be answered."), why)
    return replace(question, state=ANSWERED, answer=found)
