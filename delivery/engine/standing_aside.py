"""Hosts that stand aside when a deploy ends: those that a rollback left out, and those that are out of the balancer."""

from django.utils.translation import gettext as _

from adminset.names import listed
from delivery.engine.moves import bad_words
from delivery.models import Deploy, DeployHost

Host = DeployHost.Status
MOST_REASONS = 3


def is_left_out(row: DeployHost) -> bool:
    """Whether a rollback goes on without a host: it does not keep the release, or could not be locked."""
    bad = row.status in (Host.FAILED, Host.UNREACHABLE)
    return row.deploy.is_rollback and bad and not row.has_said


def aside_words(deploy: Deploy) -> list[str]:
    """Name the hosts that stand aside, each kind in a sentence."""
    rows = list(deploy.hosts.order_by("host_name", "pk"))
    told = []
    out = [row for row in rows if is_left_out(row)]
    if out:
        words = _("Left out, with what they had: %(hosts)s")
        told.append(words % {"hosts": _by_reason(out)})
    drained = [row.host_name for row in rows if row.drained]
    if drained:
        words = _("Out of the balancer, look there: %(hosts)s.")
        told.append(words % {"hosts": listed(drained)})
    return told


def _by_reason(rows: list[DeployHost]) -> str:
    """Name hosts by what is said of them; where that is much, the rest of them together."""
    groups: dict[str, list[DeployHost]] = {}
    for row in rows:
        groups.setdefault(row.explanation, []).append(row)
    shown = list(groups.values())
    rest = [row for group in shown[MOST_REASONS:] for row in group]
    shown = [*shown[:MOST_REASONS], *([rest] if rest else [])]
    return " ".join(bad_words(group) for group in shown)
