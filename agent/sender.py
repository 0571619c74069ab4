"""HTTP to the portal: the only file that imports requests."""

import gzip
import json
import time
from email.utils import parsedate_to_datetime
from typing import Any, Dict, NamedTuple, Optional

import requests
import requests.adapters
import requests.auth

from agent.config import Config
from agent.logs import clean
from agent.version import VERSION

PATH = "/api/agent/v1/"
MOST_ANSWER_BYTES = 1 << 20
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
    """What the answer means; `status` 0 = no answer, `sentence` is safe to log."""

    action: str
    status: int
    body: Dict[str, Any]
    sentence: str
    retry_after: Optional[float] = None


class Bearer(requests.auth.AuthBase):
    """Sets the header itself, so that a .netrc cannot replace it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = "Bearer " + self.token
        return request


class Session(requests.Session):
    """Sees no redirect: requests would read its body without a limit."""

    def get_redirect_target(self, resp: requests.Response) -> Optional[str]:
        return None


class Sender:
    """One kept-alive connection; never raises for what the network or server does."""

    def __init__(self, server: str, token: str, config: Config) -> None:
        self.base = server + PATH
        self.auth = Bearer(token)
        self.timeouts = (config.connect_timeout_seconds, config.read_timeout_seconds)
        self.verify = (config.ca_file or True) if config.verify_tls else False
        self.session = Session()
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=1)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self.session.headers.update(
            {
                "User-Agent": "adminset-agent/" + VERSION,
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            }
        )

    def post(self, name: str, payload: Dict[str, Any]) -> Reply:
        body = json.dumps(payload, separators=(",", ":"), allow_nan=False)
        try:
            response = self.session.post(
                self.base + name,
                data=gzip.compress(body.encode(), 6),
                auth=self.auth,
                timeout=self.timeouts,
                verify=self.verify,
                allow_redirects=False,
                stream=True,
            )
            with response:
                return understood(response, bounded(response))
        except (requests.RequestException, OSError, ValueError) as error:
            return Reply(RETRY, 0, {}, self.without_secret(error))

    def without_secret(self, error: Exception) -> str:
        text = str(error).replace(self.auth.token, "***")
        secret = self.auth.token.partition(".")[2]
        return clean(f"{type(error).__name__}: {text.replace(secret or '***', '***')}")

    def close(self) -> None:
        self.session.close()


def bounded(response: requests.Response) -> bytes:
    """The body, at most 1 MiB of it, and never inflated."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ValueError("the answer is compressed though nobody asked for it")
    parts, size = [], 0
    for part in response.iter_content(16384):
        size += len(part)
        if size > MOST_ANSWER_BYTES:
            raise ValueError(f"the answer is larger than {MOST_ANSWER_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def understood(response: requests.Response, raw: bytes) -> Reply:
    status = response.status_code
    body = parsed(raw)
    error = (body or {}).get("error")
    error = error if isinstance(error, dict) else {}
    action = ACTIONS.get(status, RETRY)
    if action == STORED and body is None:
        return Reply(RETRY, status, {}, "the answer is not a JSON object")
    if status == 422 and error.get("code") == "clock_skew":
        action = SKEW
    wait = retry_after(response.headers.get("Retry-After")) if action == WAIT else None
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
