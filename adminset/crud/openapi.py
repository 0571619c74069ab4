"""Says in the OpenAPI schema which errors each operation may answer, and how they look."""

from typing import Any

ENVELOPE = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "fields"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "hint": {"type": "string"},
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                },
            },
        }
    },
}
ALWAYS = {
    400: "The request cannot be understood.",
    401: "No token or session, or none that is good.",
    403: "You may not do this.",
    404: "There is no such object or page, or you may not see it.",
    422: "A filter or a field is not right; `fields` says which.",
    429: "Too often; `Retry-After` says when to try again.",
    503: "A part of the portal is away; `Retry-After` says when to try again.",
}
WRITES = {
    409: "Something else stands in the way.",
    412: "Somebody else changed the object meanwhile.",
    413: "The body is too large.",
    415: "The body is not JSON.",
}
METHODS = ("get", "post", "put", "patch", "delete")


def declare_errors(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add the errors to all operations of a schema (a hook of drf-spectacular)."""
    del generator, request, public
    result["components"].setdefault("schemas", {})["Error"] = ENVELOPE
    for item in result["paths"].values():
        for method in METHODS:
            if method in item:
                _declare(item[method], method)
    return result


def _declare(operation: dict[str, Any], method: str) -> None:
    answers = operation["responses"]
    said = dict(ALWAYS)
    if method == "get":
        answers.setdefault("304", {"description": "What `If-None-Match` names."})
    else:
        said |= WRITES
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, sentence in said.items():
        answers.setdefault(str(status), {"description": sentence, "content": content})
