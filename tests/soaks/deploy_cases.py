"""The faults of `make soak deploys` as data: which there are, of what, in which step, at which moment of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Way = tuple[tuple[str, Any], ...]

STEPS = ("check", "claim", "read", "pack", "distribute", "activate", "finish")
ON_HOSTS = ("check", "claim", "read", "distribute", "activate", "finish")
MENDING = ("look", "switch_back", "unlock")
BACKWARD = ("claim", "activate", "finish")
MOMENTS = (0.05, 0.4, 0.9)
SICK = "exit 1"
# Only the way back is sick.
BACK_SICK = 'test "$ADMINSET_ROLLBACK" != 1'
# Only the release that is new is sick.
NEW_SICK = 'test "$ADMINSET_ROLLBACK" = 1'
ONE_SICK = f'{NEW_SICK} || test "$ADMINSET_HOST" != host1'
FELL_ILL = f'{NEW_SICK} || test ! -e "$ADMINSET_ROOT/ill"'
# What the host's service does at its restart: it answers for the old release only (tests/soaks/answering.py).
UP_IF_OLD = (
    f'if {NEW_SICK}; then touch "{{flag}}"; else rm -f "{{flag}}"; fi; sleep 0.3'
)

BAD: Way = (("restart", NEW_SICK),)
SLOW_SWITCH: Way = (("before_switch", "sleep 0.5"),)
DRAIN: Way = (
    ("drain", 'echo out >"$ADMINSET_ROOT/out"; sleep 0.8'),
    ("back", 'rm -f "$ADMINSET_ROOT/out"'),
)
CANARY: Way = (
    ("policy", "canary"),
    ("canary_watch_seconds", 2),
    ("health_kind", "command"),
    ("health_target", FELL_ILL),
)
BLUE_GREEN: Way = (("policy", "blue_green"), ("switch_command", "sleep 0.3"))
SHORT: Way = (("timeout_seconds", 5),)
PLAIN = [{"kind": "distribute"}, {"kind": "activate"}]
MAKE = "sleep 0.8; head -c 5000 /dev/zero | tr '\\0' x >pad"
BUILT: Way = (("stages", [{"kind": "build", "command": MAKE}, *PLAIN]),)
SICK_BUILD: Way = (("stages", [{"kind": "build", "command": "exit 3"}, *PLAIN]),)


SICK_COMMAND = {"kind": "command", "command": SICK}


def _between(*stages: dict[str, str]) -> Way:
    return (("stages", [PLAIN[0], *stages, PLAIN[1]]),)


COMMAND = _between({"kind": "command", "command": "sleep 0.8"})
CONFIRM = _between({"kind": "confirm"})
HOOKS = ("before_switch", "drain", "restart", "switch_command", "after_switch", "back")
SICK_WAYS: Way = (
    *((name, text) for name in HOOKS for text in (SICK, BACK_SICK, NEW_SICK, ONE_SICK)),
    *_between(SICK_COMMAND),
)

CLEAN: dict[str, Any] = {
    "policy": "batches",
    "batches": "1",
    "stages": PLAIN,
    "timeout_seconds": 60,
    "health_kind": "none",
    "health_target": "",
    "health_attempts": 1,
    "health_wait_seconds": 0,
    "before_switch": "",
    "drain": "",
    "restart": "",
    "switch_command": "",
    "after_switch": "",
    "back": "",
}


@dataclass(frozen=True)
class Case:
    """One fault: what, in which step, when (seconds after that began).

    `way` changes the pipeline for it; `of`: "artefact", "git" or "rollback".
    """

    fault: str
    step: str = ""
    moment: float = 0.0
    way: Way = ()
    of: str = "artefact"

    def __str__(self) -> str:
        told = " ".join(f"{name}={_short(value)}" for name, value in self.way)
        where = f" in {self.step} after {self.moment} s" if self.step else ""
        of = "" if self.of == "artefact" else f" of {self.of}"
        return f"{self.fault}{of}{where} {told}".strip()

    @property
    def after(self) -> Way:
        """Give what of the way stays when a person has mended it."""
        if self.fault == "health down":
            return ()
        if self.way == SICK_BUILD:
            return BUILT
        return tuple(pair for pair in self.way if pair not in SICK_WAYS)

    @property
    def is_silent(self) -> bool:
        """Whether a host is there and says nothing: all wait for their time-outs."""
        return self.fault in {"silent cut", "late packets"}

    @property
    def is_long(self) -> bool:
        """Whether it takes longer than all others; the short form leaves these out."""
        return self.is_silent or self.fault == "database away"


def _short(value: Any) -> Any:
    return "+".join(one["kind"] for one in value) if isinstance(value, list) else value


def all_cases(*, disk: bool) -> list[Case]:
    """List every fault once; those with a step at one moment each."""
    timed = [
        replace(case, moment=MOMENTS[number % len(MOMENTS)])
        for number, case in enumerate(_timed(disk=disk))
    ]
    return [*timed, *_commands()]


def chosen(count: int, *, disk: bool) -> list[Case]:
    """Choose so many faults, spread over all kinds; more than there are begin anew, at later moments."""
    cases = all_cases(disk=disk)
    if count >= len(cases):
        rounds = range(-(-count // len(cases)))
        return [_later(case, turn) for turn in rounds for case in cases][:count]
    quick = [case for case in cases if not case.is_long]
    return [quick[number * len(quick) // count] for number in range(count)]


def _later(case: Case, turns: int) -> Case:
    if not case.step:
        return case
    place = MOMENTS.index(case.moment) + turns
    return replace(case, moment=MOMENTS[place % len(MOMENTS)])


def _timed(*, disk: bool) -> Iterator[Case]:
    yield from (Case("kill worker", step) for step in STEPS)
    yield from (Case("kill worker", step, way=BAD) for step in MENDING)
    yield from (Case("cut network", step) for step in ON_HOSTS)
    yield from (Case("kill program", step) for step in ON_HOSTS)
    yield from (Case("cancel", step) for step in STEPS)
    yield Case("cut network", "switch_back", way=BAD)
    yield Case("kill program", "switch_back", way=BAD)
    if disk:
        steps = ("claim", "distribute", "activate", "finish")
        yield from (Case("fill disk", step) for step in steps)
    yield from _of_sources()
    yield from _of_policies()
    yield from _of_rollbacks()
    yield from _silent()


def _of_sources() -> Iterator[Case]:
    built = {"way": BUILT, "of": "git"}
    for fault in ("kill worker", "cancel"):
        yield from (Case(fault, step, **built) for step in ("fetch", "build"))
    yield Case("kill build", "build", **built)
    yield Case("kill build", "build", **built)


def _of_policies() -> Iterator[Case]:
    hard = ("kill worker", "kill program", "cut network", "cancel")
    for fault in hard:
        yield Case(fault, "command", way=COMMAND)
        yield Case(fault, "activate", way=DRAIN)
        yield Case(fault, "activate", way=BLUE_GREEN)
    for fault in ("kill worker", "cut network", "cancel"):
        yield Case(fault, "watch", way=CANARY)
        yield Case(fault, "confirm", way=CONFIRM)
    yield Case("falls ill", "watch", way=CANARY)
    yield Case("kill program", "switch_back", way=(*DRAIN, *BAD))
    yield Case("cancel", "activate", way=(*DRAIN, *SLOW_SWITCH))


def _of_rollbacks() -> Iterator[Case]:
    for fault in ("kill worker", "kill program", "cut network", "cancel"):
        yield from (Case(fault, step, of="rollback") for step in BACKWARD)
    yield Case("kill program", "activate", way=DRAIN, of="rollback")


def _silent() -> Iterator[Case]:
    for step in ("claim", "distribute", "activate", "finish"):
        yield Case("silent cut", step, way=SHORT)
    yield Case("silent cut", "switch_back", way=(*SHORT, *BAD))
    yield Case("silent cut", "activate", way=SHORT, of="rollback")
    yield Case("silent cut", "activate", way=(*SHORT, *DRAIN))
    for step in ("distribute", "activate"):
        yield Case("late packets", step, way=SHORT)
    yield from (Case("database away", step) for step in ("distribute", "activate"))


def _commands() -> Iterator[Case]:
    for name in (*HOOKS[:3], *HOOKS[4:]):
        yield Case("bad exit", way=((name, NEW_SICK),))
        yield Case("bad exit", way=((name, ONE_SICK),))
    yield Case("bad exit", way=(*DRAIN, *BAD))
    sick = (("policy", "blue_green"), ("switch_command", NEW_SICK))
    yield Case("bad exit", way=sick)
    yield Case("bad exit", way=(*BLUE_GREEN, *BAD))
    yield Case("bad exit", way=_between(SICK_COMMAND))
    yield Case("bad exit", way=SICK_BUILD, of="git")
    yield Case("bad exit", way=(("restart", BACK_SICK),), of="rollback")
    yield Case("source gone", way=BUILT, of="git")
    yield from _health()
    yield Case("wrong hash")
    yield Case("wrong hash", way=(("policy", "direct"),))


def _health() -> Iterator[Case]:
    command = (("health_kind", "command"), ("health_attempts", 1))
    for target in (NEW_SICK, ONE_SICK, SICK):
        yield Case("health down", way=(*command, ("health_target", target)))
    yield Case(
        "health down", way=(*command, ("health_target", BACK_SICK)), of="rollback"
    )
    # {flag} and {port} are those of the service of the hosts; it goes down with the new release, or was never there.
    asked = (("health_attempts", 1), ("restart", UP_IF_OLD))
    for kind, target in (
        ("http", "http://127.0.0.1:{port}/health"),
        ("tcp", "127.0.0.1:{port}"),
    ):
        told: Way = (("health_kind", kind), ("health_target", target))
        yield Case("health down", way=(*told, *asked))
        yield Case("health down", way=(*told, ("health_attempts", 1)))
