"""Answers that are made while they are sent, under ASGI too: a plain generator would be read to its end first there."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def stream(
    request: HttpRequest,
    parts: Iterator[str] | Iterator[bytes],
    *,
    content_type: str,
    file_name: str,
) -> StreamingHttpResponse:
    """Send a file part by part; each part may ask the database."""
    body = _one_by_one(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer


async def _one_by_one(
    parts: Iterator[str] | Iterator[bytes],
) -> AsyncIterator[str | bytes]:
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
