"""Celery's door of the room: certificates are fetched again by schedule."""

from celery import shared_task

from cmdb.services import certificates


@shared_task(name="cmdb.check_certificates")
def check_certificates() -> None:
    """Check the certificates that are due; each is claimed, so that two workers share the work."""
    certificates.check_due()
