"""What is planned: the next times of a schedule as its page and its form show them."""

from dataclasses import dataclass
from datetime import datetime

from tasks.models import Schedule
from tasks.scheduling.calendars import obstacle, opening
from tasks.scheduling.firing import begin_of

SHOWN = 5


@dataclass(frozen=True)
class Planned:
    """A planned time. `begins`: with its jitter; `problem`: why it may not run then; `opens`: until when it waits for that."""

    at: datetime
    begins: datetime
    problem: str
    opens: datetime | None


def planned_times(
    schedule: Schedule, after: datetime, count: int = SHOWN
) -> list[Planned]:
    """Give the next times of a schedule, saved or not, whether it is on or not."""
    found = []
    for moment in schedule.plan.upcoming(after, count):
        problem = obstacle(schedule, moment)
        waits = problem and schedule.outside == Schedule.Outside.WAIT
        opens = opening(schedule, moment) if waits else None
        begins = begin_of(schedule, moment, opens) if schedule.pk else moment
        found.append(Planned(moment, begins, problem, opens))
    return found
