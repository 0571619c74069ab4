"""When a state changes, and how much of a time something was up: pure rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.checks import uptime
from monitor.checks.uptime import Span, bars_of, percentages, share_of, spans_of
from monitor.checks.verdicts import Patience, judge
from monitor.models import CheckFlip, ServiceCheck

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def walk(state: str, answers: str, patience: Patience) -> str:
    """Judge answers one after the other (u, g for degraded, d, n for not known); give the states as letters."""
    names = {"u": "up", "g": "degraded", "d": "down", "n": "unknown"}
    letters = {name: letter for letter, name in names.items()}
    streak, said = 0, ""
    for answer in answers:
        verdict = judge(state, streak, names[answer], patience)
        state, streak = verdict.state, verdict.streak
        said += letters[state]
    return said


@pytest.mark.parametrize(
    ("start", "answers", "states"),
    [
        ("up", "dddd", "uudd"),
        ("up", "dudud", "uuuuu"),
        ("up", "ggg", "uug"),
        ("up", "gdd", "uud"),
        ("down", "uu", "du"),
        ("down", "udud", "dddd"),
        ("down", "uguu", "dggu"),
        ("unknown", "u", "u"),
        ("unknown", "ddd", "nnd"),
        ("up", "nnn", "uun"),
        ("down", "nn", "dn"),
        ("degraded", "uu", "gu"),
    ],
)
def test_a_state_takes_so_many_answers_in_a_row(
    start: str, answers: str, states: str
) -> None:
    assert walk(start, answers, Patience(retries=2, recover_after=2)) == states


def test_without_patience_each_answer_counts() -> None:
    assert walk("up", "dudg", Patience(retries=0, recover_after=1)) == "dudg"


def spans(*parts: tuple[str, float, float]) -> list[Span]:
    """Make spans from (state, hours ago of the start, hours ago of the end)."""
    return [
        Span(state, NOW - timedelta(hours=start), NOW - timedelta(hours=end))
        for state, start, end in parts
    ]


def test_the_share_of_a_day_is_exact_to_the_second() -> None:
    history = spans(("up", 48, 1), ("down", 1, 0.9), ("up", 0.9, 0))
    share = percentages(history, NOW)["24h"]
    assert share == pytest.approx(100 * (1 - 360 / 86400), abs=1e-9)


def test_what_is_paused_or_unknown_counts_for_nobody() -> None:
    history = spans(
        ("paused", 24, 12), ("unknown", 12, 6), ("up", 6, 3), ("down", 3, 0)
    )
    assert percentages(history, NOW)["24h"] == pytest.approx(50)
    assert percentages(spans(("paused", 24, 0)), NOW)["24h"] is None


def test_degraded_is_up_but_colours_the_day() -> None:
    share = share_of(spans(("degraded", 10, 5), ("up", 5, 0)), NOW - DAY, NOW)
    assert share.percent == 100
    assert share.state == "warning"


def check(**fields: Any) -> ServiceCheck:
    return ServiceCheck(known_from=NOW - 200 * DAY, **fields)


def flip(hours_ago: float, old: str, new: str) -> CheckFlip:
    return CheckFlip(at=NOW - timedelta(hours=hours_ago), old=old, new=new)


def test_history_begins_where_the_check_did() -> None:
    young = ServiceCheck(state="up", known_from=NOW - timedelta(hours=3))
    found = spans_of(young, [], NOW - 90 * DAY, NOW)
    assert found == spans(("up", 3, 0))


def test_changes_become_spans_without_a_hole() -> None:
    flips = [flip(30, "up", "down"), flip(29, "down", "up")]
    found = spans_of(check(state="up"), flips, NOW - 2 * DAY, NOW)
    assert found == spans(("up", 48, 30), ("down", 30, 29), ("up", 29, 0))


@given(
    st.lists(
        st.tuples(
            st.floats(-5, 3000, allow_nan=False),
            st.sampled_from(["up", "down", "degraded", "unknown", "paused"]),
        ),
        max_size=30,
    )
)
def test_spans_fill_the_window_whatever_the_clock_did(
    moves: list[tuple[float, str]],
) -> None:
    flips, state = [], "up"
    for hours, new in moves:
        flips.append(flip(hours, state, new))
        state = new
    start = NOW - 90 * DAY
    found = spans_of(check(state=state), flips, start, NOW)
    total = sum((span.end - span.start).total_seconds() for span in found)
    assert total == pytest.approx((NOW - start).total_seconds())
    bars = bars_of(found, NOW)
    assert len(bars) == uptime.DAYS
    assert all(sum(bar.share.seconds.values()) <= 86400.001 for bar in bars)
    assert all(0 <= (bar.share.percent or 0) <= 100 for bar in bars)


def test_bars_are_days_of_utc_and_the_last_one_is_today() -> None:
    history = spans(("up", 90 * 24, 36), ("down", 36, 24), ("up", 24, 0))
    bars = bars_of(history, NOW)
    assert (bars[0].day, bars[-1].day) == (
        (NOW - 89 * DAY).date(),
        NOW.date(),
    )
    # From 00:00 to 12:00 of yesterday.
    assert bars[-2].share.percent == pytest.approx(50)
    assert [bars[-1].share.state, bars[-2].share.state] == ["ok", "danger"]
    assert bars[-1].share.seconds["up"] == pytest.approx(12 * 3600)
