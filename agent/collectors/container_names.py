"""Names of containers, from the files of their runtimes where these may be read."""

import json
import re
from pathlib import Path
from typing import Dict, Optional

from agent.files import read_text

DOCKER = "/var/lib/docker/containers"
PODMAN = "/var/lib/containers/storage/overlay-containers/containers.json"


def docker_name(full: str) -> Optional[str]:
    """Docker's own file says `"Name":"/web"`; only root may read it."""
    text = read_text(Path(DOCKER) / full / "config.v2.json") or ""
    found = re.search(r'"Name":"/?([^"\\]{1,200})"', text)
    return found.group(1) if found else None


def podman_names() -> Dict[str, str]:
    """Id -> name, where its list is readable."""
    try:
        entries = json.loads(read_text(PODMAN) or "[]")
    except ValueError:
        return {}
    named = [entry for entry in entries if isinstance(entry, dict)]
    return {
        str(entry.get("id")): str(entry["names"][0])
        for entry in named
        if isinstance(entry.get("names"), list) and entry["names"]
    }
