"""How a leg ended on a host: well, away, begun or not, and why not well."""

from django.utils.translation import gettext as _

from adminset.redaction import clean
from tasks.legs.reading import HostReport
from tasks.models import RunHost

LONGEST = 500


def was_begun(report: HostReport | None) -> bool:
    """Whether anything of a leg may have been done on a host; also where nobody knows."""
    return report is None or report.started_at is not None


def is_ok(report: HostReport | None) -> bool:
    """Whether a leg ended well on a host."""
    return report is not None and report.status == RunHost.Status.OK


def is_away(report: HostReport | None) -> bool:
    """Whether a host could not be reached."""
    return report is None or report.status == RunHost.Status.UNREACHABLE


def why(report: HostReport | None) -> str:
    """Say why a leg did not end well on a host: in the host's words where it said any."""
    if report is None:
        return _("Nothing is known of it.")
    said = report.said.get("why", "")
    words = said or report.explanation or report.status
    return clean(" ".join(words.split()))[:LONGEST]
