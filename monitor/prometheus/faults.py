"""What may be wrong with a query, in the words and codes of Prometheus' API."""

from adminset.errors import DomainError


class QueryError(DomainError):
    """A query that gets no answer; `kind` is Prometheus' errorType."""

    kind = "execution"


class BadQueryError(QueryError):
    """The query, or a parameter of it, cannot be read."""

    status = 400
    kind = "bad_data"

    def __init__(self, message: str) -> None:
        super().__init__(message, code="bad_query")


class NotSupportedError(QueryError):
    """Prometheus would answer this; the portal evaluates a part of PromQL only."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The portal does not evaluate {what}; docs/prometheus.md lists what it does.",
            code="not_supported",
        )


class TooMuchError(QueryError):
    """The answer would be too large: it is refused as a whole, a part of it would look like the whole."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="too_much")


class TooSlowError(QueryError):
    """The query took longer than it may."""

    status = 503
    kind = "timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The query took longer than {seconds:.0f} seconds: ask for fewer hosts or a shorter time.",
            code="too_slow",
        )
