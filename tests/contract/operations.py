"""The operations of an OpenAPI schema, asked by schemathesis with made-up values: never a 500, and no answer that is not declared."""

import os
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
# Cases of each operation, values for each field: `ADMINSET_FUZZ_TRIES=50` is the long form.
TRIES = int(os.environ.get("ADMINSET_FUZZ_TRIES", "1"))
LONG = TRIES > 1
# What the value is meant to break, as it stands in JSON.
HOSTILE = {
    "a NUL": r'"a\u0000b"',
    "half a character": r'"\ud800"',
    "more than a double": "1e400",
    "more than a key": "9" * 40,
    "less than nothing": "-1",
    "no number": "NaN",
    "a deep list": "[" * 90 + "]" * 90,
    "a deep object": '{"a":' * 90 + "0" + "}" * 90,
    "a long text": '"' + "x" * 70_000 + '"',
    "nothing": "null",
    "yes": "true",
    "an object": '{"id": [1]}',
    "a list of nothing": "[null]",
    "a list of lists": "[[1], [2]]",
    "a fraction": "0.1",
    "digits that are none": '"²"',
    "digits of elsewhere": '"١٢"',
    "no day": '"2026-02-30T25:61:00Z"',
    "the year 0": '"0000-00-00"',
    "marks of direction": r'"\u202e\u200b\ufeff<script>"',
    "SQL": '"\'; DROP TABLE cmdb_host; --"',
    "a template": '"{{ 7*7 }}{% load x %}"',
    "an address": '"http://[::1"',
    "half a network": '"10.0.0.0/999"',
    "a line end": r'"a\r\nX-Injected: 1"',
}


def schema_of(document: dict[str, Any]) -> Any:
    """Read a schema; no file of whoever runs this is asked how."""
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig())


def operations(schema: Any) -> Iterator[Any]:
    """Give all operations; each must be readable."""
    for found in schema.get_all_operations():
        yield found.ok()


def fuzz(
    operation: Any, ask: Any, *, tries: int = TRIES, negative: bool, **fixed: Any
) -> None:
    """Ask an operation a few times.

    Args:
        ask: sends a case and gives the answer.
        negative: with values that break the schema.
        fixed: parts of each case that are given, such as `path_parameters`.
    """
    mode = GenerationMode.NEGATIVE if negative else GenerationMode.POSITIVE

    @hypothesis_settings(
        max_examples=tries,
        deadline=None,
        database=None,
        derandomize=not LONG,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def each(case: Any) -> None:
        case.validate_response(ask(case), checks=CHECKS)

    each()
