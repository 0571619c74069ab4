"""Answers with the lines of charts: JSON without a byte too many, as a page asks for much of it."""

from typing import Any

from django.http import HttpResponse
from msgspec import json


def answer(content: Any) -> HttpResponse:
    """Give content as JSON; what JSON does not know, such as a text to be translated, as its text."""
    written = json.encode(content, enc_hook=str)
    return HttpResponse(written, content_type="application/json")
