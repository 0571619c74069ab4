"""A plan: what a deploy would do to which hosts; its hash names what people say yes to."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from delivery.configs.pending import PendingFile


@dataclass(frozen=True)
class PlanRow:
    """One host of a plan.

    Attributes:
        from_release: what the portal knows to be live; "" where nothing is, or where nobody has looked.
        files, size, bytes: files and bytes of the release, and bytes to send; None while that is not known.
        config: files of configuration that are not there as they should be; a deploy does not bring them.
        warnings: what may stand in the way there.
    """

    host_id: int
    host: str
    batch: int
    from_release: str = ""
    to_release: str = ""
    files: int | None = None
    size: int | None = None
    bytes: int | None = None
    config: tuple[PendingFile, ...] = ()
    warnings: tuple[str, ...] = ()
    critical: str = ""


@dataclass(frozen=True)
class PlanChange:
    """What a deploy changes on hosts that have one release.

    Attributes:
        base_id: key of that release's artefact. counts: how many files come, go or change, by the states of artefacts/comparing.py.
        named: path and state of the first of them.
    """

    from_release: str
    base_id: int
    counts: dict[str, int]
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PlanCommand:
    """A command that will run: where (portal, hosts), in which stage.

    `on`: all hosts or the first one; `host`: the name of that one, where it is known.
    """

    stage: str
    where: str
    command: str
    on: str = "all"
    host: str = ""


@dataclass(frozen=True)
class PlanCommit:
    """A commit that comes with a deploy; `gone`: one that it takes away, because an older one is delivered."""

    commit: str
    subject: str
    author: str = ""
    at: str = ""
    gone: bool = False


@dataclass(frozen=True)
class Plan:
    """What would be done. `problems` keep it from being done, `warnings` do not.

    `changes`: which files come, go and change, where they are known. `unpushed`: files of configuration that nobody ever pushed.

    `binding` is what people say yes to: any change of it is another plan. What is only told (bytes, what is live now) is not
    in it: it changes by itself.
    """

    pipeline_id: int
    environment_id: int
    kind: str
    ref_kind: str
    ref: str
    commit: str
    branch: str
    artefact_id: int | None
    to_release: str
    rows: tuple[PlanRow, ...]
    commands: tuple[PlanCommand, ...]
    commits: tuple[PlanCommit, ...]
    blast: tuple[str, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    closed: str
    approvals_needed: int
    changes: tuple[PlanChange, ...] = ()
    unpushed: tuple[PendingFile, ...] = ()
    binding: dict[str, Any] = field(repr=False, default_factory=dict)

    @property
    def hash(self) -> str:
        """Hash of what is said yes to, hex."""
        text = json.dumps(self.binding, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def batch_count(self) -> int:
        """How many batches the hosts are in."""
        return max((row.batch for row in self.rows), default=0) + 1

    def as_json(self) -> dict[str, Any]:
        """Give all of it as plain values: what a deploy keeps, and what a page or a program is shown."""
        told = asdict(self)
        binding = told.pop("binding")
        return json.loads(json.dumps(told)) | {
            "hash": self.hash,
            "batch_count": self.batch_count,
            "way": binding.get("way", {}),
            "path": binding.get("path", ""),
            "variables": sorted(binding.get("variables", {})),
        }
