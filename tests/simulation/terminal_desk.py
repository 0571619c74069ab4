"""The portal's side of figures and proofs of terminals: hosts, a sign-in, tickets, what became of sessions. Asked line by line."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django must be set up first
from django.contrib import auth  # noqa: E402 - likewise
from django.utils import timezone  # noqa: E402 - likewise

from accounts.door import BACKEND  # noqa: E402 - likewise
from accounts.models import User  # noqa: E402 - likewise
from accounts.sessions import SessionStore  # noqa: E402 - likewise
from adminset import audit, context  # noqa: E402 - likewise
from adminset.models import AuditEntry  # noqa: E402 - likewise
from cmdb.models import Credential, Host  # noqa: E402 - likewise
from tasks.guard import shipped  # noqa: E402 - likewise
from tasks.models import TerminalCommand, TerminalSession  # noqa: E402 - likewise
from tasks.recording import reading, sealing, verifying  # noqa: E402 - likewise
from tasks.terminal.opening import open_terminal  # noqa: E402 - likewise
from tasks.terminal.reaping import reap_lost  # noqa: E402 - likewise

# Where the pages of a proof come from: a ticket is bound to it.
ADDRESS = "127.0.0.1"
NAME = "terminals"
LONG_AGO = timedelta(minutes=5)
Rows = list[dict[str, Any]]


def settle(user: str, key: str, places: list[list[Any]]) -> dict[str, Any]:
    """Make somebody who may do everything and is signed in, and the hosts: (name, address, port, host key) each."""
    shipped.prepare(audit.SystemActor("set-up"))
    person = User.objects.create_superuser(NAME, None)
    credential = Credential.objects.create(name=NAME, username=user, private_key=key)
    hosts = [
        Host.objects.create(
            hostname=name,
            address=address,
            ssh_port=port,
            host_key=public,
            credential=credential,
        )
        for name, address, port, public in places
    ]
    cookie = f"{settings.SESSION_COOKIE_NAME}={_signed_in(person)}"
    return {"cookie": cookie, "hosts": [host.pk for host in hosts]}


def _signed_in(person: User) -> str:
    store = SessionStore()
    store[auth.SESSION_KEY] = str(person.pk)
    store[auth.BACKEND_SESSION_KEY] = BACKEND
    store[auth.HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.save()
    return str(store.session_key)


def open_many(hosts: list[int], count: int) -> list[list[str]]:
    """Open so many terminals, on one host after the other; give (key, ticket) of each."""
    context.current.set(context.RequestContext(address=ADDRESS))
    person = User.objects.get(username=NAME)
    found = []
    for number in range(count):
        host = Host.objects.select_related("credential").get(
            pk=hosts[number % len(hosts)]
        )
        session, ticket = open_terminal(actor=person, host=host)
        found.append([session.key, ticket])
    return found


def rows() -> Rows:
    """Say how all sessions stand."""
    names = ("key", "state", "recording", "end_reason", "recording_problem")
    return list(TerminalSession.objects.order_by("pk").values(*names))


def texts() -> dict[str, str]:
    """Give what is readable of each recording: all that the host printed."""
    return {
        session.key: "".join(
            event.text for event in reading.events(session) if event.kind == "o"
        )
        for session in TerminalSession.objects.order_by("pk")
    }


def commands() -> dict[str, list[str]]:
    """Give the lines that were entered in each session."""
    found: dict[str, list[str]] = {}
    told = TerminalCommand.objects.order_by("pk").values_list("session__key", "text")
    for key, text in told:
        found.setdefault(key, []).append(text)
    return found


def age() -> None:
    """Let the leases run out that nobody renews, and the sessions that ended be old: what a minute does."""
    then = timezone.now() - LONG_AGO
    TerminalSession.objects.open().update(lease_until=then)
    TerminalSession.objects.filter(ended_at__isnull=False).update(ended_at=then)


def reap() -> dict[str, int]:
    """Do what the workers do each few seconds."""
    return {"lost": reap_lost(), "sealed": sealing.seal_forsaken()}


def verdicts() -> list[str]:
    """Hold each recording against the audit trail."""
    return [
        str(verifying.verify(session).verdict)
        for session in TerminalSession.objects.order_by("pk")
    ]


def trail() -> dict[str, int]:
    """Count the lines of the trail by their verbs, as far as they are about terminals."""
    found: dict[str, int] = {}
    lines = AuditEntry.objects.filter(verb__startswith="terminal")
    for verb in lines.values_list("verb", flat=True):
        found[verb] = found.get(verb, 0) + 1
    return found


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        settle,
        open_many,
        rows,
        texts,
        commands,
        age,
        reap,
        verdicts,
        trail,
    )
}


def main() -> None:
    """Do what is asked, line by line, and print what comes of it: each start of Django would cost two seconds."""
    for line in sys.stdin:
        told = json.loads(line)
        sys.stdout.write(json.dumps(ACTS[told.pop("do")](**told)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
