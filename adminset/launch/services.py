"""The embedded stores: which of Redis and MongoDB `make up` starts itself, and where they answer."""

import json
import secrets
import socket
from dataclasses import asdict, dataclass

from adminset.launch.checks import port_is_free
from adminset.launch.config import Place
from adminset.launch.files import write_private

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Services:
    """Ports of the embedded stores; 0 where the environment names a store already."""

    valkey_port: int
    valkey_password: str
    secantus_port: int

    def environment(self) -> dict[str, str]:
        """Name the embedded stores as settings for every process of the portal."""
        found = {}
        if self.valkey_port:
            address = f"{LOOPBACK}:{self.valkey_port}/0"
            found["REDIS_URL"] = f"redis://:{self.valkey_password}@{address}"
        if self.secantus_port:
            found["MONGO_URL"] = f"mongodb://{LOOPBACK}:{self.secantus_port}/"
        return found


def choose(place: Place) -> Services:
    """Choose free loopback ports, the same as last time while they are free, and write them down."""
    last = _last(place)
    kept_valkey = last.get("valkey_port", 0)
    valkey_port = 0 if place.is_set("REDIS_URL") else _free_port(kept_valkey, 0)
    kept_secantus = last.get("secantus_port", 0)
    secantus_port = (
        0 if place.is_set("MONGO_URL") else _free_port(kept_secantus, valkey_port)
    )
    password = last.get("valkey_password") or secrets.token_hex(24)
    chosen = Services(valkey_port, str(password), secantus_port)
    write_private(place.run_dir / "services.json", json.dumps(asdict(chosen)) + "\n")
    lines = [f"{name}={value}\n" for name, value in chosen.environment().items()]
    write_private(place.run_dir / "services.env", "".join(lines))
    return chosen


def _last(place: Place) -> dict[str, int]:
    try:
        found = json.loads(
            (place.run_dir / "services.json").read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _free_port(last: int, taken: int) -> int:
    if last and last != taken and port_is_free(LOOPBACK, last):
        return last
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        number = int(probe.getsockname()[1])
    return number if number != taken else _free_port(0, taken)


def answers(port: int) -> bool:
    """True when something accepts connections on a loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False
