"""DORA figures: what counts as a change, a failure, a restoration; and that nothing known is said as nothing known."""

from datetime import UTC, datetime, timedelta
from typing import Any

from delivery.history.figures import Shipment, figures_of

END = datetime(2026, 11, 22, tzinfo=UTC)
BEGIN = END - timedelta(days=28)
HOUR = timedelta(hours=1)


def shipped(hours_ago: float, **fields: Any) -> Shipment:
    """Make a deploy that ended so many hours before the end of the period."""
    values = {"place": 1, "back": False, "well": True, "reached": True}
    return Shipment(ended_at=END - HOUR * hours_ago, **(values | fields))


def test_no_deploy_gives_no_figure_and_never_a_zero() -> None:
    figures = figures_of([], BEGIN, END)
    assert figures.per_week is None
    assert figures.lead is None
    assert figures.failure_percent is None
    assert figures.restore is None
    assert [week.lead for week in figures.weeks] == [None] * 4


def test_frequency_is_what_went_live_in_seven_days() -> None:
    rows = [shipped(n * 24) for n in range(1, 9)]
    assert figures_of(rows, BEGIN, END).per_week == 2.0


def test_what_never_reached_a_host_is_neither_change_nor_failure() -> None:
    rows = [shipped(5, well=False, reached=False), shipped(4)]
    figures = figures_of(rows, BEGIN, END)
    assert (figures.changes, figures.failed) == (1, 0)
    assert figures.failure_percent == 0


def test_lead_time_is_from_commit_to_live_of_those_where_it_is_known() -> None:
    rows = [
        shipped(10, committed_at=END - 12 * HOUR),
        shipped(8, committed_at=END - 12 * HOUR),
        shipped(6),
    ]
    figures = figures_of(rows, BEGIN, END)
    assert figures.lead == 3 * 3600
    assert figures.lead_known == 2


def test_a_commit_of_tomorrow_makes_no_negative_time() -> None:
    row = shipped(1, committed_at=END + HOUR)
    assert figures_of([row], BEGIN, END).lead == 0


def test_what_went_back_by_itself_is_a_failure_restored_in_the_time_that_took() -> None:
    row = shipped(5, well=False, went_back=True, switched_at=END - 5.5 * HOUR)
    figures = figures_of([row], BEGIN, END)
    assert figures.failure_percent == 100
    assert figures.restore == 1800
    assert figures.broken == 0


def test_what_stays_broken_is_restored_by_the_next_that_goes_well_at_the_same_place() -> (
    None
):
    rows = [
        shipped(10, well=False, switched_at=END - 11 * HOUR),
        shipped(9, place=2),
        shipped(8, well=False),
        shipped(7),
    ]
    figures = figures_of(rows, BEGIN, END)
    assert figures.failed == 2
    assert figures.restore == 4 * 3600
    assert figures.restored == 1


def test_a_rollback_makes_the_change_before_it_a_failure() -> None:
    rows = [shipped(10), shipped(8), shipped(6, back=True)]
    figures = figures_of(rows, BEGIN, END)
    assert (figures.changes, figures.failed) == (2, 1)
    assert figures.restore == 2 * 3600


def test_what_nothing_has_mended_yet_is_said() -> None:
    figures = figures_of([shipped(3, well=False)], BEGIN, END)
    assert figures.restore is None
    assert figures.broken == 1


def test_weeks_hold_what_ended_in_them() -> None:
    rows = [shipped(1), shipped(2, well=False), shipped(24 * 8)]
    weeks = figures_of(rows, BEGIN, END).weeks
    assert [(week.went, week.failed) for week in weeks] == [
        (0, 0),
        (0, 0),
        (1, 0),
        (1, 1),
    ]
