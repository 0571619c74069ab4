"""Asks the questions of pages: writes one down and calls a worker; where none can be called it is said at once."""

from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from delivery.asked.keeping import Question, failed, keep, new

ANSWER = "delivery.answer_question"


def ask(user: Any, kind: str, about: dict[str, Any]) -> Question:
    """Ask something that a worker answers; the page looks by the question's key until it is there.

    Args:
        about: plain values that the answerer gets.
    """
    question = new(user, kind, about, get_language() or "")
    try:
        current_app.send_task(ANSWER, (question.key,), queue=settings.DELIVERY_QUEUE)
    except (OperationalError, redis.RedisError, OSError):
        again = _("Try again in a moment.")
        question = failed(question, _("No worker could be called."), again)
        keep(question)
    return question
