"""What the SSH lane does on each host, whatever it is: made once for a job, before the first host is begun."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target


@dataclass(frozen=True)
class Work:
    """What is done on a host, and the secrets that it brings there."""

    do: Callable[[Target, Terms], CommandResult]
    secrets: list[str] = field(default_factory=list, repr=False)
