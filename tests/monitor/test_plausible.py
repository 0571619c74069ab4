"""What of a sample is kept: numbers that can be true, of as many parts as a host may have."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.plausible import Dropped, Plans, Quotas, bounds_of, keep, make_plan

TERABYTE = 10**12


def kept(values: dict[str, float], quotas: Quotas | None = None) -> tuple:
    """Give what is kept of values, and what was dropped."""
    dropped = Dropped()
    plan = make_plan(tuple(values), quotas or Quotas())
    return dict(keep(values, plan, dropped)), dropped


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory.used_bytes", 3_000_000 * TERABYTE),
        ("memory.total_bytes", -1),
        ("cpu.busy_percent", 4000.0),
        ("cpu.busy_percent", -50.0),
        ("fs.used_bytes|/", -4096),
        ("net.received_bytes_per_second|eth0", 1e17),
        ("system.uptime_seconds", -3.0),
        ("sensor.temperature_celsius|cpu", 9000.0),
        ("fs.read_only|/", 2.0),
        ("a_newer_agents.own_bytes", -1.0),
        ("custom.x", 1e19),
    ],
)
def test_what_cannot_be_true_is_dropped_and_counted(name: str, value: float) -> None:
    values, dropped = kept({name: value, "load.1": 0.5})
    assert values == {"load.1": 0.5}
    assert dropped.implausible == {name.partition("|")[0]: 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu.busy_percent", 100.4),
        ("cpu.idle_percent", -0.01),
        ("container.cpu_percent|web", 3200.0),
        ("memory.total_bytes", 24 * TERABYTE),
        ("fs.total_bytes|/data", 10_000 * TERABYTE),
        ("sensor.temperature_celsius|outside", -40.0),
        ("system.clock_offset_seconds", -120.0),
        ("custom.profit|shop=a", -5e6),
        ("unheard.of", -7.0),
        ("load.15", 900.0),
    ],
)
def test_what_is_odd_but_true_is_kept(name: str, value: float) -> None:
    values, dropped = kept({name: value})
    assert values == {name: value}
    assert not dropped


def test_parts_beyond_the_quota_are_left_out_with_all_their_values_and_said() -> None:
    sent = {
        f"fs.{what}_bytes|/m{n}": 1.0 for n in range(5) for what in ("used", "total")
    }
    values, dropped = kept(sent | {"load.1": 1.0}, Quotas(mounts=3))
    assert len(values) == 7
    assert "fs.used_bytes|/m2" in values
    assert "fs.used_bytes|/m3" not in values
    assert dropped.left_out == {"mounts": 2}


def test_a_custom_series_counts_by_itself() -> None:
    sent = {f"custom.m{n}|k=v": 1.0 for n in range(4)} | {"custom.plain": 1.0}
    values, dropped = kept(sent, Quotas(custom=2))
    assert sorted(values) == ["custom.m0|k=v", "custom.m1|k=v"]
    assert dropped.left_out == {"custom": 3}


def test_the_same_parts_are_left_out_whatever_their_order() -> None:
    names = [f"net.sent_bytes_per_second|eth{n}" for n in range(9)]
    forwards, _ = kept(dict.fromkeys(names, 1.0), Quotas(interfaces=4))
    backwards, _ = kept(dict.fromkeys(reversed(names), 1.0), Quotas(interfaces=4))
    assert set(forwards) == set(backwards)


@pytest.mark.parametrize("name", ["", "CPU", "a\n", "a|", "$where", "a|x\x1b", "a b"])
def test_what_is_no_name_is_left_out_and_counted(name: str) -> None:
    plan = make_plan(("load.1", name), Quotas())
    assert plan.kept == ("load.1",)
    assert plan.left_out == {"names": 1}


def test_plans_are_remembered_and_bounded() -> None:
    plans = Plans(Quotas(), most_names=100)
    first = plans.of(("load.1",))
    assert plans.of(("load.1",)) is first
    for n in range(200):
        plans.of((f"custom.m{n}", "load.1"))
    assert plans.of(("load.1",)) is not first
    assert plans.held <= 100


@given(
    st.dictionaries(
        st.sampled_from(
            ["cpu.busy_percent", "fs.used_bytes|/", "custom.x", "net.a|b", "who.knows"]
        ),
        st.floats(allow_nan=True, allow_infinity=True),
    )
)
def test_whatever_is_kept_is_finite_and_within_its_bounds(
    sent: dict[str, float],
) -> None:
    values, dropped = kept(sent)
    for name, value in values.items():
        low, high = bounds_of(name.partition("|")[0])
        assert math.isfinite(value)
        assert low <= value <= high
    assert len(values) + sum(dropped.implausible.values()) == len(sent)
