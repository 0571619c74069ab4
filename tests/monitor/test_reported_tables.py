"""Tables and other newer parts of a report: cut to size, made harmless, refused in a sentence where they make no sense."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.intake import parse_metrics
from tests.monitor.bodies import (
    LIMITS,
    NOW,
    all_are_sentences,
    batch,
    refused,
    sample,
    sentences_of,
)


def table(**fields: Any) -> dict[str, Any]:
    return {
        "name": "units",
        "time": NOW,
        "columns": ["name", "active"],
        "rows": [["ssh.service", "active"]],
        **fields,
    }


def test_tables_are_cut_to_size_and_made_harmless() -> None:
    wide = table(name="wide", columns=["c"] * 30, rows=[[1] * 40, [2]])
    long = table(rows=[["x\x00" * 300, 10**30]] * 600, left_out=3)
    report = parse_metrics(batch(sample(), tables=[wide, long]), LIMITS, NOW)
    units, cut = report.tables
    assert (len(units.rows), units.left_out) == (500, 103)
    assert units.rows[0] == ["x?" * 100, None]
    assert [len(row) for row in cut.rows] == [20, 20]
    assert cut.rows[1][:2] == [2, None]
    assert report.dropped.left_out == {"rows": 100}


def test_more_tables_than_may_be_are_left_out_and_said() -> None:
    many = [table(name=f"t{n}") for n in range(40)]
    report = parse_metrics(batch(tables=[*many, table(name="No!")]), LIMITS, NOW)
    assert len(report.tables) == 32
    assert report.dropped.left_out == {"tables": 9}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tables": {}}, "tables"),
        ({"tables": [{}]}, "tables[0]"),
        ({"tables": [table(rows=[["a", ["nested"]]])]}, "tables[0].rows"),
        ({"tables": [table(rows=[["a", float("nan")]])]}, "tables[0].rows"),
        ({"clock_offset": "late"}, "clock_offset"),
        ({"left_out": {"mounts": -1}}, "left_out"),
        ({"left_out": [1]}, "left_out"),
    ],
)
def test_a_wrong_field_of_the_new_ones_is_named(
    fields: dict[str, Any], path: str
) -> None:
    (named,) = refused(batch(sample(), **fields)).fields
    assert named.startswith(path)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "tables": ANYTHING
            | st.lists(
                st.fixed_dictionaries(
                    {
                        "name": st.text(max_size=6) | st.just("units"),
                        "time": st.floats(allow_nan=False, allow_infinity=False),
                        "columns": st.lists(st.text(max_size=4), max_size=4),
                        "rows": st.lists(
                            st.lists(
                                st.none()
                                | st.integers()
                                | st.text(max_size=4)
                                | st.booleans(),
                                max_size=6,
                            ),
                            max_size=4,
                        ),
                    }
                ),
                max_size=3,
            ),
            "left_out": ANYTHING | st.dictionaries(st.text(), st.integers()),
            "clock_offset": ANYTHING,
        },
    )
)
def test_whatever_the_new_fields_hold_is_taken_or_refused_in_a_sentence(
    fields: dict[str, Any],
) -> None:
    assert all_are_sentences(sentences_of(batch(sample(), **fields)))


def test_a_table_from_the_future_does_not_stay_the_newest_for_ever() -> None:
    odd = [table(name="far", time=1e308), table(name="past", time=-1e308)]
    report = parse_metrics(batch(sample(), tables=odd), LIMITS, NOW)
    assert [(each.name, each.time) for each in report.tables] == [
        ("far", NOW),
        ("past", 0.0),
    ]
