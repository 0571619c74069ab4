#!/usr/bin/env python3
"""Ansible inventory script: gives Ansible the hosts that an AdminSet API token may see.

    chmod +x adminset_inventory.py
    export ADMINSET_URL=https://portal.example ADMINSET_TOKEN_FILE=~/.adminset-token
    ansible-inventory -i adminset_inventory.py --graph

Everything comes from the environment, nothing from the command line, where every user of the machine could read it:

    ADMINSET_URL         address of the portal
    ADMINSET_TOKEN_FILE  file that holds an API token and that others cannot read; or the token itself in ADMINSET_TOKEN
    ADMINSET_GROUPS      only the hosts of these groups, separated by commas
    ADMINSET_CA_FILE     certificates to trust instead of the machine's own
    ADMINSET_CACHE_FILE  keeps the last answer, so that an inventory that did not change is not sent again

Needs Python 3.6 and nothing else.
"""

import json
import os
import ssl
import stat
import sys
import tempfile
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

PATH = "/api/v1/inventory/ansible/"
TIMEOUT_SECONDS = 120


class InventoryError(Exception):
    """What is wrong, in a sentence."""


class _NoRedirect(HTTPRedirectHandler):
    """The token is for the portal alone: nobody is followed to another place."""

    def redirect_request(self, *_args):
        return None


def main(arguments):
    """Print the inventory; Ansible calls with --list, or --host for variables that the list has already."""
    if arguments[:1] == ["--host"]:
        sys.stdout.write("{}\n")
        return 0
    try:
        sys.stdout.write(inventory(os.environ) + "\n")
    except InventoryError as error:
        sys.stderr.write(f"adminset_inventory: {error}\n")
        return 1
    return 0


def inventory(environ):
    """Give the inventory as text, from the portal or from the cache."""
    url = environ.get("ADMINSET_URL", "").rstrip("/")
    if not url.startswith(("https://", "http://")):
        raise InventoryError(
            "Set ADMINSET_URL to the portal's address, such as https://portal.example."
        )
    groups = [name.strip() for name in environ.get("ADMINSET_GROUPS", "").split(",")]
    query = urlencode([("group", name) for name in groups if name])
    address = url + PATH + ("?" + query if query else "")
    cache = environ.get("ADMINSET_CACHE_FILE", "")
    known = _read_cache(cache, address)
    headers = {
        "Authorization": "Bearer " + _token(environ),
        "Accept": "application/json",
    }
    if known:
        headers["If-None-Match"] = known["etag"]
    asked = Request(address, headers=headers)  # noqa: S310 - the scheme was checked
    body, etag = _ask(asked, environ.get("ADMINSET_CA_FILE") or None)
    if body is None:
        return known["body"]
    if cache and etag:
        _write_cache(cache, {"address": address, "etag": etag, "body": body})
    return body


def _token(environ):
    name = environ.get("ADMINSET_TOKEN_FILE", "")
    if not name:
        if not environ.get("ADMINSET_TOKEN"):
            raise InventoryError("Set ADMINSET_TOKEN_FILE or ADMINSET_TOKEN.")
        return environ["ADMINSET_TOKEN"].strip()
    path = Path(name).expanduser()
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise InventoryError(f"Everybody can read {path}: chmod o-r it.")
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise InventoryError(f"The token cannot be read: {error}") from None


def _ask(request, ca_file):
    """Give (body, ETag); (None, "") where nothing changed."""
    trust = ssl.create_default_context(cafile=ca_file)
    opener = build_opener(_NoRedirect, HTTPSHandler(context=trust))
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            body = answer.read().decode("utf-8")
            json.loads(body)  # one that broke off on the way is no inventory
            return body, answer.headers.get("ETag", "")
    except HTTPError as error:
        if error.code == 304:
            return None, ""
        raise InventoryError(
            f"The portal answered {error.code}: {_words(error)}"
        ) from None
    except (URLError, OSError, ValueError) as error:
        raise InventoryError(f"The portal could not be asked: {error}") from None


def _words(error):
    try:
        told = json.loads(error.read(65536).decode("utf-8"))["error"]
        return " ".join(filter(None, (told["message"], told["hint"])))
    except (OSError, ValueError, KeyError, TypeError):
        return error.reason


def _read_cache(name, address):
    try:
        known = json.loads(Path(name).expanduser().read_text(encoding="utf-8"))
        return known if known["address"] == address and known["body"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_cache(name, known):
    """Replace the file at once, for its owner alone."""
    path = Path(name).expanduser()
    handle, made = tempfile.mkstemp(dir=str(path.parent), prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file)
    Path(made).replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
