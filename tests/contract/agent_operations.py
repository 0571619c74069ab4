"""What agents may ask, as an OpenAPI document: bodies from the structures that the portal reads them into, answers from docs/agent-protocol.md."""

import re
from pathlib import Path
from typing import Any

import msgspec

from monitor import intake, reported_facts

PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "agent-protocol.md"
BODIES = {
    "enroll": reported_facts._ENVELOPE.type,
    "facts": reported_facts._FACTS.type,
    "metrics": intake._METRICS.type,
    "rotate": reported_facts._ROTATION.type,
}


def declared() -> list[str]:
    """Give the statuses that the protocol's table of answers names."""
    text = PROTOCOL.read_text(encoding="utf-8")
    table = text.partition("## Answers")[2].partition("An error is")[0]
    rows = re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)
    return re.findall(r"\b[245]\d\d\b", " ".join(rows))


def document() -> dict[str, Any]:
    """Give the document."""
    bodies, components = msgspec.json.schema_components(
        BODIES.values(), ref_template="#/components/schemas/{name}"
    )
    answer = {
        "description": "docs/agent-protocol.md",
        "content": {"application/json": {}},
    }
    encoding = {
        "name": "Content-Encoding",
        "in": "header",
        "schema": {"enum": ["identity"]},
    }
    paths = {}
    for name, body in zip(BODIES, bodies, strict=True):
        content = {"application/json": {"schema": body}}
        paths[f"/api/agent/v1/{name}"] = {
            "post": {
                "parameters": [encoding],
                "requestBody": {"content": content, "required": True},
                "responses": dict.fromkeys(declared(), answer),
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "what agents ask", "version": "1"},
        "paths": paths,
        "components": {"schemas": components},
    }
