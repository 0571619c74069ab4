"""The lines of a calendar: what they say, where they begin and end, sentences for what cannot be read."""

from __future__ import annotations

from itertools import islice

import pytest
from django.core.exceptions import ValidationError

from tasks.scheduling.spans import check_spans, read_spans
from tests.tasks.schedule_things import at


@pytest.mark.parametrize(
    ("line", "inside", "outside"),
    [
        ("mon-fri 22:00-06:00", "2026-11-20 23:00", "2026-11-21 23:00"),
        # Friday's night reaches into Saturday.
        ("mon-fri 22:00-06:00", "2026-11-21 05:59", "2026-11-21 06:00"),
        ("fri-mon 08:00-09:00", "2026-11-22 08:00", "2026-11-24 08:00"),
        ("sat,sun", "2026-11-21 00:00", "2026-11-23 00:00"),
        ("daily 00:00-24:00", "2026-11-21 23:59", None),
        ("2026-12-24", "2026-12-24 23:59", "2026-12-25 00:00"),
        ("2026-12-24 .. 2027-01-02", "2027-01-02 23:59", "2027-01-03 00:00"),
        (
            "2026-12-24 18:00 .. 2026-12-25 06:00",
            "2026-12-25 05:59",
            "2026-12-24 17:59",
        ),
        ("*-12-25", "2031-12-25 12:00", "2031-12-26 00:00"),
        ("Monday 1:00-2:00 # words", "2026-11-23 01:30", "2026-11-23 02:00"),
    ],
)
def test_a_line_covers_what_it_says(
    line: str, inside: str, outside: str | None
) -> None:
    spans = read_spans(line, "UTC")
    assert spans.note_at(at(inside)) is not None
    assert outside is None or spans.note_at(at(outside)) is None


def test_hours_are_those_of_the_zone() -> None:
    spans = read_spans("daily 22:00-23:00 # late", "Asia/Shanghai")
    assert spans.note_at(at("2026-11-21 14:30")) == "late"
    assert spans.note_at(at("2026-11-21 22:30")) is None


def test_begins_and_ends_come_in_order() -> None:
    spans = read_spans(
        "sat 22:00-02:00\n# nothing\n\n2026-11-22 01:00 .. 2026-11-22 03:00", "UTC"
    )
    edges = islice(spans.edges(at("2026-11-21 12:00")), 4)
    assert [f"{edge:%d %H:%M}" for edge in edges] == [
        "21 22:00",
        "22 01:00",
        "22 02:00",
        "22 03:00",
    ]


def test_a_window_in_the_doubled_hour_is_open_both_times() -> None:
    spans = read_spans("daily 02:00-02:30", "Europe/Berlin")
    found = [
        spans.note_at(at(f"2026-10-25 {clock}")) is not None
        for clock in ("00:15", "00:45", "01:15", "01:45")
    ]
    assert found == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one line"),
        ("# only words", "at least one line"),
        ("mon-fri 22:00-06:00\nnever", "Line 2"),
        ("2026-13-01", "Line 1"),
        ("2026-12-24 25:00", "Line 1"),
        ("2026-12-24 12:00", "ends before"),
        ("2027-01-02 .. 2026-12-24", "ends before"),
        ("mon 22:00", "22:00-06:00"),
        ("mon 22:61-23:00", "22:00"),
        ("*-02-31", "Line 1"),
        ("mon\n" * 501, "at most 500"),
        ("daily 00:00-00:00; DROP TABLE", "22:00"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as error:
        check_spans(text)
    assert said in error.value.messages[0]
