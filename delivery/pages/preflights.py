"""What the checks before a deploy found, as the page of a plan shows it: what did not pass, put together, and how many hosts are well."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from delivery.onhost.told import CheckResult
from delivery.planning import preflight
from delivery.planning.shown import ShownPlan
from tasks.models import Run


@dataclass
class FailedCheck:
    """A check that did not pass, or warns, somewhere: what, why, how to mend it, on which hosts."""

    title: str
    why: str
    mend: str
    state: str = "danger"
    hosts: list[str] = field(default_factory=list)


def found_before(run: Run, plan: ShownPlan) -> dict[str, Any]:
    """Give what the page of a plan shows of a look at its hosts, of those that the reader may see."""
    names = {row["host_id"]: row["host"] for row in plan.rows}
    found = preflight.results(run) if not run.is_open else {}
    seen = {names[pk]: checks for pk, checks in found.items() if pk in names}
    well = sum(all(one.ok for one in checks) for checks in seen.values())
    return {"checks": together(seen), "well": well, "asked": len(seen)}


def together(found: Mapping[str, Sequence[CheckResult]]) -> list[FailedCheck]:
    """Put checks that did not pass, or warn, together: failures first, then those of most hosts."""
    told: dict[tuple[str, str, str], FailedCheck] = {}
    for name, one in _flat(found):
        if one.ok and not one.warns:
            continue
        key = (one.title, one.why, one.mend)
        state = "warning" if one.ok else "danger"
        told.setdefault(key, FailedCheck(*key, state)).hosts.append(name)
    return sorted(told.values(), key=lambda c: (c.state != "danger", -len(c.hosts)))


def _flat(
    found: Mapping[str, Sequence[CheckResult]],
) -> Iterable[tuple[str, CheckResult]]:
    return ((name, one) for name, checks in sorted(found.items()) for one in checks)
