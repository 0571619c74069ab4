"""What a push would do, before anything happens: per host which text comes where, which commands run, and what stands in the way."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.crypto import digest
from adminset.querysets import seen
from appconf.config.rendering import HostTexts, for_hosts
from appconf.models import Environment
from cmdb.models import Host
from delivery.configs.frames import FilePlan, Frame, frame_of
from delivery.configs.programs import Placed, reload_commands
from delivery.models import ConfigDrift


@dataclass(frozen=True)
class Cell:
    """One file on one host: how it was when it was read last, and what it becomes.

    Attributes:
        drift: what was read back there, where its comparison shows what a push would change.
    """

    file: FilePlan
    state: str
    label: str
    size: int
    problem: str
    drift: ConfigDrift | None


@dataclass(frozen=True)
class HostPlan:
    """One host of a plan."""

    host: Host
    cells: list[Cell]
    has_secrets: bool


@dataclass(frozen=True)
class ConfigPlan:
    """A push as it would be now; `hash` changes with anything that a person says yes to."""

    files: list[FilePlan]
    hosts: list[HostPlan]
    problems: list[str]
    hash: str
    texts: list[HostTexts] = field(repr=False)

    @property
    def placed(self) -> list[Placed]:
        """The files and their places."""
        return [one.placed for one in self.files]

    @property
    def reloads(self) -> list[str]:
        """The reload commands, each once for each host."""
        return reload_commands(self.placed)


def make_plan(
    actor: Any,
    environment: Environment,
    file_ids: Iterable[int] | None = None,
    host_ids: Iterable[int] | None = None,
) -> ConfigPlan:
    """Say what a push of some files (None: all that are in force) to some hosts (None: all) of an environment would do.

    Raises:
        Forbidden: the actor may not deploy there, or not see one of the files.
        Conflict: there is no file in force, or no host that is delivered to, or one of the chosen is none of these.
    """
    return filled_in(actor, frame_of(actor, environment, file_ids, host_ids))


def filled_in(actor: Any, frame: Frame) -> ConfigPlan:
    """Fill in all files of a push for all its hosts, secrets too: for many it takes seconds, so never within a transaction."""
    environment, files = frame.environment, frame.files
    versions = [one.version for one in files]
    texts = for_hosts(versions, environment, frame.hosts, reveal=True)
    shown = {host.pk for host in seen(actor, frame.hosts)}
    problems = _problems(texts, shown)
    known = _known(environment, files)
    return ConfigPlan(
        files,
        [_host(files, each, known) for each in texts if each.host.pk in shown],
        list(dict.fromkeys(problems)),
        _hash(frame, texts),
        texts,
    )


def _problems(texts: Sequence[HostTexts], shown: Collection[int]) -> list[str]:
    unseen = _("A host that you may not see")
    names = {
        each.host.pk: str(each.host) if each.host.pk in shown else unseen
        for each in texts
    }
    found = [
        f"{names[each.host.pk]}: {words}" for each in texts for words in each.problems
    ]
    most, total = settings.CONFIG_PUSH_BYTES, settings.CONFIG_PUSH_TOTAL_BYTES
    words = _("%(host)s: the files are longer than %(most)s KiB together.")
    found += [
        words % {"host": names[each.host.pk], "most": most // 1024}
        for each in texts
        if each.size > most
    ]
    if sum(each.size for each in texts) > total:
        words = _("All texts for all hosts are longer than %(most)s MiB together.")
        found.append(words % {"most": total // 2**20})
    return found


def _known(
    environment: Environment, files: Sequence[FilePlan]
) -> dict[tuple[int, int], ConfigDrift]:
    keys = [one.file.pk for one in files]
    rows = ConfigDrift.objects.filter(environment=environment, file__in=keys)
    return {(row.host_id, row.file_id): row for row in rows.defer("found")}


def _host(
    files: Sequence[FilePlan],
    texts: HostTexts,
    known: dict[tuple[int, int], ConfigDrift],
) -> HostPlan:
    cells = []
    for one in files:
        rendered = texts.files[one.file.pk]
        row = known.get((texts.host.pk, one.file.pk))
        state, label = _now(row, rendered.sha256)
        size = len(rendered.text.encode())
        compared = row if _tells(row, one) else None
        cells.append(Cell(one, state, label, size, rendered.problem, compared))
    has_secrets = any(texts.files[one.file.pk].secrets for one in files)
    return HostPlan(texts.host, cells, has_secrets)


def _tells(row: ConfigDrift | None, wanted: FilePlan) -> bool:
    """Whether the comparison of what was read back is with the version that would come."""
    return (
        row is not None
        and row.state == ConfigDrift.State.DRIFTED
        and row.version_id == wanted.version.pk
    )


def _now(row: ConfigDrift | None, wanted: str) -> tuple[str, str]:
    """Say how what was read last compares with what would come: colour and word."""
    if row is None or row.read_at is None:
        return "idle", _("not read yet")
    if row.state == ConfigDrift.State.MISSING:
        return "busy", _("comes new")
    if row.state == ConfigDrift.State.UNREADABLE:
        return "danger", str(row.get_state_display())
    if row.found_sha256 == wanted:
        return "ok", _("stays as it is")
    return "warning", _("changes")


def _hash(frame: Frame, texts: Sequence[HostTexts]) -> str:
    """Bind a yes to all that happens: files, versions, settings, hosts, and the text that each of them gets."""
    told = frame.told() | {
        "texts": [
            [each.files[one.file.pk].sha256 for one in frame.files] for each in texts
        ],
    }
    # Keyed: it stands on a page, and must not tell whether a guess at a secret is right.
    return digest(json.dumps(told, sort_keys=True))
