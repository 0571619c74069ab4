"""Writes what certificates say: read from what is pasted, or fetched from their server by schedule and on demand."""

import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, outbound
from adminset.audit import Actor, SystemActor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm
from adminset.errors import DomainError
from cmdb import certificates
from cmdb.certificates import Found
from cmdb.facts import plain_text
from cmdb.models import Certificate

logger = logging.getLogger(__name__)
SCHEDULE = SystemActor("certificate check")
# One round of the schedule ends after this time; what is left is due in the next one.
ROUND_SECONDS = 240
NOTHING_FOUND: dict[str, Any] = {
    "subject": "",
    "issuer": "",
    "names": [],
    "serial": "",
    "fingerprint": "",
    "not_before": None,
    "not_after": None,
    "expires_on": None,
    "chain_problem": "",
}


def save_certificate(*, actor: Actor, form: ResourceForm) -> models.Model:
    """Save a certificate; a pasted one is read at once, one of another server than before is forgotten until fetched.

    Raises:
        BadCertificate: what was pasted cannot be read.
    """
    row: Certificate = form.instance
    if "pem" in form.changed_data and row.pem:
        values = _values(certificates.read_pem(row.pem))
        _set(
            row,
            values | {"chain_problem": "", "error": "", "checked_at": timezone.now()},
        )
    elif {"server", "port", "server_name"} & set(form.changed_data):
        _set(row, NOTHING_FOUND | {"error": "", "checked_at": None})
    return crud.save(actor=actor, form=form)


def check(*, actor: Actor, certificate: Certificate) -> bool:
    """Fetch a certificate from its server and write what it says; give whether that differs from what was known.

    A person's check is always told to the audit trail, one of the schedule where it found something else.

    Raises:
        DomainError: the certificate is pasted and has no server.
    """
    if not certificate.server:
        raise DomainError(
            _("%(name)s is pasted: there is no server to ask.") % {"name": certificate},
            _("Name a server in its place, or paste the new one."),
            code="no_server",
        )
    found = _fetched(certificate)
    with transaction.atomic():
        row = Certificate.objects.select_for_update().get(pk=certificate.pk)
        asked = ("server", "port", "server_name")
        if any(getattr(row, n) != getattr(certificate, n) for n in asked):
            return False  # it was pointed elsewhere meanwhile: what was found is not its own
        before = audit.snapshot(row)
        _set(row, found)
        changes = audit.changed(before, audit.snapshot(row))
        row.checked_at = timezone.now()
        row.save(update_fields=[*found, "checked_at", "updated_at"])
        if changes or actor is not SCHEDULE:
            audit.record(actor, "certificate.check", row, changes=changes)
    return bool(changes)


def _fetched(certificate: Certificate) -> dict[str, Any]:
    """Ask the server; when it cannot be asked, what was known before stays, with the reason."""
    try:
        shown = outbound.shown_certificate(
            certificate.server,
            certificate.port,
            certificate.server_name.removesuffix("."),
        )
        values = _values(certificates.read_der(shown.der))
    except DomainError as error:
        return {"error": plain_text(f"{error.message} {error.hint}", 500)}
    problem = plain_text(shown.problem, 300)
    return values | {"chain_problem": problem, "error": ""}


def _values(found: Found) -> dict[str, Any]:
    values = {name: getattr(found, name) for name in found.__dataclass_fields__}
    return values | {"expires_on": found.not_after.date()}


def _set(row: Certificate, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def check_due() -> int:
    """Check those that were not checked for ADMINSET_CERTIFICATE_CHECK_HOURS, the longest waiting first; give how many.

    A server that fails stops nobody else's check.
    """
    until, count = time.monotonic() + ROUND_SECONDS, 0
    while time.monotonic() < until and (certificate := _claimed()):
        try:
            check(actor=SCHEDULE, certificate=certificate)
        except Exception:
            logger.exception("certificate %s could not be checked", certificate.pk)
        count += 1
    return count


def _claimed() -> Certificate | None:
    """Take one that is due, so that no other worker takes it too."""
    now = timezone.now()
    due = now - timedelta(hours=settings.CERTIFICATE_CHECK_HOURS)
    rows = Certificate.objects.exclude(server="").filter(
        Q(checked_at=None) | Q(checked_at__lt=due)
    )
    for row in rows.order_by(models.F("checked_at").asc(nulls_first=True), "pk")[:20]:
        mine = Certificate.objects.filter(pk=row.pk, checked_at=row.checked_at)
        if mine.update(checked_at=now):
            return row
    return None
