"""Asks the portal whether it is ready, and tells others in var/run/ready.json."""

import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from adminset.launch.config import Place
from adminset.launch.files import write_private

# Behind TLS the portal redirects plain requests; the check comes from this machine.
HEADERS = {"X-Forwarded-Proto": "https", "Accept": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What `/readyz` said: status 0 when nothing answered."""

    status: int = 0
    word: str = ""
    missing: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return self.word == "ok"


def ask(place: Place, path: str = "/readyz") -> Answer:
    """Ask once; never raises for a portal that is away."""
    address = urlsplit(place.url)
    connection = http.client.HTTPConnection(
        address.hostname or "", address.port, timeout=5
    )
    try:
        connection.request("GET", path, headers=HEADERS)
        response = connection.getresponse()
        return read(response.status, response.read(100_000))
    except (OSError, http.client.HTTPException):
        return Answer()
    finally:
        connection.close()


def read(status: int, body: bytes) -> Answer:
    """Read the answer's status and the parts that are not well."""
    try:
        found = json.loads(body)
        parts = found.get("parts") or {}
        missing = tuple(name for name, part in parts.items() if _word(part) != "ok")
        return Answer(status, str(found.get("status", "")), missing)
    except (ValueError, AttributeError):
        return Answer(status)


def _word(part: object) -> str:
    return str(part.get("status")) if isinstance(part, dict) else str(part)


def announce(place: Place, username: str, pids: dict[str, int]) -> None:
    """Write var/run/ready.json."""
    told = {"url": place.url, "username": username, "pids": pids}
    write_private(place.run_dir / "ready.json", json.dumps(told, indent=2) + "\n")


def withdraw(place: Place) -> None:
    """Remove what says that the portal runs."""
    for name in ("ready.json", "services.env"):
        (place.run_dir / name).unlink(missing_ok=True)
