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
    """Send a file part by part; each part may ask the database. What `parts` holds open is closed when the answer is."""
    body = _one_by_one(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(body, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{file_name}"'
    # A proxy in front would first fill its disk with it (nginx, and others that know this header).
    answer["X-Accel-Buffering"] = "no"
    if body is not parts and hasattr(parts, "close"):
        # In the thread of the request, after the part that may be on its way.
        answer._resource_closers.append(parts.close)  # type: ignore[attr-defined]
    return answer


async def _one_by_one(
    parts: Iterator[str] | Iterator[bytes],
) -> AsyncIterator[str | bytes]:
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
