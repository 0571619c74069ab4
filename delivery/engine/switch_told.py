"""What became of hosts on which a switch did not end well: by what they said themselves, and only by that."""

from collections.abc import Mapping

from delivery.engine import live
from delivery.models import Deploy, DeployHost
from delivery.onhost import told
from delivery.onhost.ended import is_away, was_begun, why
from tasks.legs.reading import HostReport

Host = DeployHost.Status
UNKNOWN = "?"


def status_of(report: HostReport | None) -> str:
    """Give how a host stands on which a leg did not end well."""
    return Host.UNREACHABLE if is_away(report) else Host.FAILED


def release_now(row: DeployHost, report: HostReport | None) -> str:
    """Give what a host runs after a switch that did not end well: "?" where that is not known."""
    if report is not None and spoke(report):
        return told.live_of(report.said)
    return UNKNOWN if was_begun(report) else row.now_release


def is_out(row: DeployHost, report: HostReport | None) -> bool:
    """Whether a host is out of the balancer: by what it says, or where it says nothing of that, by what it said before."""
    if report is None or "drained" not in report.said:
        return row.drained
    return told.is_drained(report.said)


def note(deploy: Deploy, bad: Mapping[DeployHost, HostReport | None]) -> None:
    """Keep what hosts said is live, and of the others that they did not."""
    found = {row: one for row, one in bad.items() if one is not None}
    heard = {row: told.live_of(one.said) for row, one in found.items() if spoke(one)}
    live.note_now(deploy, heard)
    silent = {row: one for row, one in bad.items() if row not in heard}
    begun = {row: why(one) for row, one in silent.items() if was_begun(one)}
    live.note_silent(deploy, begun)


def spoke(report: HostReport) -> bool:
    """Whether a host said what is live."""
    return "live" in report.said
