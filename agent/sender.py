"""What is said to the portal, and what its answers mean."""

import gzip
import json
import os
import time
from email.utils import parsedate_to_datetime
from typing import Any, Dict, NamedTuple, Optional, Tuple
from urllib.parse import urlsplit

from agent.config import Config
from agent.connection import FAULTS, Answer, Connection, Tls
from agent.errors import ConfigError
from agent.logs import clean
from agent.version import VERSION

PATH = "/api/agent/v1/"
HEADERS = {
    "User-Agent": "adminset-agent/" + VERSION,
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "Content-Encoding": "gzip",
}
MOST_WAIT = 3600.0
STORED, DROP, DENIED, SPLIT, WAIT, SKEW, RETRY = (
    "stored",
    "drop",
    "denied",
    "split",
    "wait",
    "skew",
    "retry",
)
ACTIONS = {
    200: STORED,
    201: STORED,
    400: DROP,
    401: DENIED,
    403: DENIED,
    409: DENIED,
    413: SPLIT,
    422: DROP,
    429: WAIT,
    503: WAIT,
}


class Reply(NamedTuple):
    """What the answer means; `status` 0 = no answer, `sentence` is safe to log.

    `asked`: when the request began and its answer was there, on the monotonic clock.
    """

    action: str
    status: int
    body: Dict[str, Any]
    sentence: str
    retry_after: Optional[float] = None
    asked: Tuple[float, float] = (0.0, 0.0)


class Sender:
    """Never raises for what the network or the server does."""

    def __init__(self, server: str, token: str, config: Config) -> None:
        self.token = token
        self.path = urlsplit(server).path + PATH
        self.headers = dict(HEADERS, Authorization="Bearer " + token)
        timeouts = (config.connect_timeout_seconds, config.read_timeout_seconds)
        tls = Tls(config.ca_file, config.verify_tls)
        try:
            self.connection = Connection(server, tls, timeouts, os.environ)
        except ValueError as error:
            raise ConfigError(
                f"The environment names a proxy that cannot be used ({clean(error)}): "
                "mend HTTPS_PROXY or HTTP_PROXY."
            ) from error

    def post(self, name: str, payload: Dict[str, Any]) -> Reply:
        body = json.dumps(payload, separators=(",", ":"), allow_nan=False)
        began = time.monotonic()
        try:
            packed = gzip.compress(body.encode(), 6)
            answer = self.connection.post(self.path + name, self.headers, packed)
        except FAULTS as error:
            return Reply(RETRY, 0, {}, self.without_secret(error))
        return understood(answer)._replace(asked=(began, time.monotonic()))

    def without_secret(self, error: Exception) -> str:
        text = str(error).replace(self.token, "***")
        secret = self.token.partition(".")[2]
        return clean(f"{type(error).__name__}: {text.replace(secret or '***', '***')}")

    def close(self) -> None:
        self.connection.close()


def understood(answer: Answer) -> Reply:
    status, raw = answer.status, answer.body
    body = parsed(raw)
    error = (body or {}).get("error")
    error = error if isinstance(error, dict) else {}
    action = ACTIONS.get(status, RETRY)
    if action == STORED and body is None:
        return Reply(RETRY, status, {}, "the answer is not a JSON object")
    if status == 422 and error.get("code") == "clock_skew":
        action = SKEW
    wait = retry_after(answer.headers.get("retry-after")) if action == WAIT else None
    return Reply(action, status, body or {}, sentence(status, error, raw), wait)


def parsed(raw: bytes) -> Optional[Dict[str, Any]]:
    try:
        body = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def sentence(status: int, error: Dict[str, Any], raw: bytes) -> str:
    """What the server says about it, made safe and short."""
    if 300 <= status < 400:
        return "the server redirects; that is not followed, correct the option server"
    said = [error.get("message"), error.get("hint")]
    said += [error["fields"]] if error.get("fields") else []
    words = " ".join(str(part) for part in said if part)
    return clean(words) or clean(raw.decode("utf-8", "replace"), 100)


def retry_after(header: Optional[str]) -> Optional[float]:
    """Seconds from now, by a number or a date; None when it says nothing usable."""
    if not header:
        return None
    try:
        if header.strip().isdigit():
            seconds = float(header)
        else:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MOST_WAIT)
