"""What hosts said in a leg, as typed values. All of it is hostile text: bounded here, names of releases only where they are some."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.redaction import clean
from delivery.onhost.check_words import CHECKS
from delivery.onhost.context import RELEASE
from tasks.legs.reading import HostReport

MOST_RELEASES = 150
MOST_TEXT = 1000
# A longer number is none that a host means.
MOST_DIGITS = 18
# A count of more digits fits into no column.
MOST_COUNT_DIGITS = 9
NO_SAYING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Lock:
    """Who holds the lock of a host: number of a deploy ("?" where the host does not know), a name, a reason, an ISO time."""

    deploy: str
    who: str = ""
    reason: str = ""
    taken: str = ""


@dataclass(frozen=True)
class HostState:
    """What there is on a host.

    Attributes:
        live: "" where nothing was delivered yet, "?" where `current` is something else than a link to a release.
        live_whole: whether that release is there. releases, good, bad: newest first.
        drained: a deploy took the host out of the balancer, and nothing took it in again yet.
        refused: why the deploy path is none, or "".
    """

    live: str = ""
    live_whole: bool = False
    previous: str = ""
    commit: str = ""
    releases: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
    lock: Lock | None = None
    drained: bool = False
    refused: str = ""


@dataclass(frozen=True)
class CheckResult:
    """One check before a deploy: title, what was seen and why that matters, how to mend it. A warning is ok."""

    id: str
    ok: bool
    title: str
    why: str = ""
    mend: str = ""
    warns: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it for a JSON field."""
        return {
            "id": self.id,
            "ok": self.ok,
            "title": self.title,
            "why": self.why,
            "mend": self.mend,
            "warns": self.warns,
        }


@dataclass(frozen=True)
class Switched:
    """How a switch ended on a host: `switched` is None where the host did not come to say so; `stage` is the last that began.

    `drained`: it was out of the balancer when it spoke last.
    """

    live: str
    before: str
    switched: bool | None
    stage: str
    why: str
    drained: bool = False


@dataclass(frozen=True)
class Drift:
    """What is live on a host and how many of its files are not what was delivered; None where there is nothing to compare with."""

    live: str
    whole: bool
    changed: int | None
    files: str


def state(report: HostReport | None) -> HostState:
    """Read what the program `read` said."""
    said = report.said if report else NO_SAYING
    return HostState(
        live=live_of(said),
        live_whole=said.get("live_whole") == "yes",
        previous=_release(said.get("previous", "")),
        commit=_text(said, "commit")[:100],
        releases=_releases(said, "releases"),
        good=_releases(said, "good"),
        bad=_releases(said, "bad"),
        lock=lock(report),
        drained=is_drained(said),
        refused=_text(said, "root_refused"),
    )


def lock(report: HostReport | None) -> Lock | None:
    """Read who holds the lock; None where it is free."""
    said = report.said if report else NO_SAYING
    deploy = _text(said, "lock")[:MOST_DIGITS]
    if not deploy:
        return None
    words = (_text(said, f"lock_{name}")[:200] for name in ("who", "reason", "taken"))
    return Lock(deploy, *words)


def checks(report: HostReport | None) -> list[CheckResult]:
    """Read what the program `check` found, in the order of the list; what was not looked at is not there."""
    said = report.said if report else NO_SAYING
    found = []
    for name, words in CHECKS.items():
        level, _space, seen = _text(said, f"check_{name}").partition(" ")
        if level not in ("ok", "warn", "fail"):
            continue
        title, why, mend = words()
        bad = level != "ok"
        told = _("Seen: %(seen)s.") % {"seen": seen}
        found.append(
            CheckResult(
                name,
                level != "fail",
                title,
                f"{why} {told}" if bad else seen,
                mend if bad else "",
                level == "warn",
            )
        )
    return found


def switched(report: HostReport | None) -> Switched:
    """Read what `activate` or `switch_back` said."""
    said = report.said if report else NO_SAYING
    return Switched(
        live=live_of(said),
        before=_release(said.get("from", "")),
        switched={"yes": True, "no": False}.get(said.get("switched", "")),
        stage=_text(said, "stage")[:100],
        why=why(report),
        drained=is_drained(said),
    )


def why(report: HostReport | None) -> str:
    """Give what a program said of why it ended badly; "" where it said nothing."""
    return _text(report.said if report else NO_SAYING, "why")


def is_drained(said: Mapping[str, str]) -> bool:
    """Say whether a host is out of the balancer, as far as it said."""
    return said.get("drained") == "1"


def drift(report: HostReport | None) -> Drift:
    """Read what `look` said."""
    said = report.said if report else NO_SAYING
    return Drift(
        live=live_of(said),
        whole=said.get("whole") == "yes",
        changed=_number(said, "changed"),
        files=_text(said, "changed_files"),
    )


def base_broken(report: HostReport | None) -> bool:
    """Say whether a pack failed because the release it builds on is not what it was: then the whole pack is the way."""
    return bool(report) and report.said.get("base_broken") == "yes"  # type: ignore[union-attr]


def pack_broken(report: HostReport | None) -> bool:
    """Say whether what came was not the pack that was to come, or none that can be unpacked."""
    return bool(report) and report.said.get("pack_broken") == "yes"  # type: ignore[union-attr]


def live_of(said: Mapping[str, str]) -> str:
    """Give the release that a host says is live; "?" where `current` leads nowhere good."""
    live = said.get("live", "")
    return "?" if live == "?" else _release(live)


def _release(text: str) -> str:
    return text if RELEASE.fullmatch(text) else ""


def _releases(said: Mapping[str, str], key: str) -> tuple[str, ...]:
    words = said.get(key, "").split()[:MOST_RELEASES]
    return tuple(filter(None, map(_release, words)))


def _number(said: Mapping[str, str], key: str) -> int | None:
    text = said.get(key, "")
    fits = text.isascii() and text.isdigit() and len(text) <= MOST_COUNT_DIGITS
    return int(text) if fits else None


def _text(said: Mapping[str, str], key: str) -> str:
    return clean(" ".join(said.get(key, "").split()))[:MOST_TEXT]
