"""The query API says no: to whom, to what it does not evaluate, to what would cost too much, and to nonsense."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from accounts.models import User
from cmdb.models import Host, HostGroup
from monitor.prometheus.expressions import Node, read
from monitor.prometheus.faults import QueryError
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.monitor.prometheus_sender import ask, basic, bearer, token_of

QUERY = "adminset_load_1"


@pytest.fixture
def looker(db: None) -> dict[str, str]:
    """The header of a token that may look at all measurements."""
    user = make_user("grafana", perms=["monitor.view_metrics"])
    return bearer(token_of(user, can_write=False))


@pytest.fixture
def two_hosts(
    measurements: MetricStore, group: HostGroup, other_group: HostGroup
) -> tuple[Host, Host]:
    """One host in the operator's group and one elsewhere, both with a load."""
    hosts = make_host("web1", groups=[group]), make_host("db1", groups=[other_group])
    for host in hosts:
        measurements.write(host.pk, [Sample(time.time(), {"load.1": 1.0})])
    return hosts


def hosts_in(answer: Any) -> set[str]:
    return {each["metric"]["host"] for each in answer.said["data"]["result"]}


def test_the_answer_holds_only_hosts_of_the_askers_scope(
    two_hosts: tuple[Host, Host], operator: User, auditor: User
) -> None:
    mine = bearer(token_of(operator, can_write=False))
    assert hosts_in(ask("query", mine, query=QUERY)) == {"web1"}
    assert hosts_in(ask("query", mine, query='adminset_load_1{host="db1"}')) == set()
    assert ask("label/host/values", mine).said["data"] == ["web1"]
    assert ask("series", mine, **{"match[]": QUERY}).said["data"][0]["host"] == "web1"
    theirs = basic(token_of(auditor, can_write=False))
    assert hosts_in(ask("query", theirs, query=QUERY)) == {"web1", "db1"}


def test_a_token_held_to_some_hosts_shows_no_others(
    two_hosts: tuple[Host, Host], auditor: User, group: HostGroup
) -> None:
    held = token_of(auditor, can_write=False, scope_ids={"cmdb.hostgroup": [group.pk]})
    assert hosts_in(ask("query", bearer(held), query=QUERY)) == {"web1"}


@pytest.mark.parametrize(
    "path",
    [
        "query",
        "query_range",
        "series",
        "labels",
        "label/host/values",
        "metadata",
        "status/buildinfo",
    ],
)
def test_nobody_asks_without_the_permission(
    path: str, stranger: User, client_of: Callable[[User], Client]
) -> None:
    assert ask(path, {}).status_code == 401
    assert ask(path, bearer(token_of(stranger))).status_code == 403
    assert client_of(stranger).get(f"/api/prom/api/v1/{path}").status_code == 403
    only_other = make_user("w", perms=["monitor.write_metrics"])
    assert ask(path, bearer(token_of(only_other))).status_code == 403


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("histogram_quantile(0.9, a)", "histogram_quantile"),
        ("a and b", "operator and"),
        ("quantile(0.5, a)", "quantile"),
        ("a @ 3", "@"),
        ("max_over_time(rate(a[1m])[5m:1m])", "subquery"),
        ("a * on (host) group_left b", "group_left"),
        ('a{x="1" or y="2"}', "`or`"),
        ('label_replace(a, "x", "$1", "y", ".*")', "label_replace"),
        ('"text"', "text"),
    ],
)
def test_what_is_not_evaluated_is_named(
    looker: dict[str, str], query: str, word: str
) -> None:
    answer = ask("query", looker, query=query)
    assert answer.status_code == 422
    assert answer.said["status"] == "error"
    assert answer.said["errorType"] == "execution"
    assert word in answer.said["error"]


@pytest.mark.parametrize(
    "asked",
    [
        {"query": ""},
        {"query": "sum("},
        {"query": "1" + "+1" * 5000},
        {"query": "(" * 2000 + "1" + ")" * 1999},
        {"query": "-" * 3000 + "1"},
        {"query": 'a{x=~"("}'},
        {"query": 'a{x=~"(?=b)"}'},
        {"query": "1 > 2"},
        {"query": "a[999999999w]"},
        {"query": "a offset -21y"},
        {"query": QUERY, "time": "yesterday"},
        {"query": QUERY, "time": "NaN"},
        {"query": QUERY, "time": "1e300"},
    ],
)
def test_nonsense_is_bad_data(looker: dict[str, str], asked: dict[str, str]) -> None:
    answer = ask("query", looker, **asked)
    assert (answer.status_code, answer.said["errorType"]) == (400, "bad_data")


@pytest.mark.parametrize(
    "asked",
    [
        {"start": 100, "end": 50, "step": 1},
        {"start": 0, "end": 100, "step": 0},
        {"start": 0, "end": 100, "step": "-5s"},
        {"start": 0, "end": 100, "step": "soon"},
        {"start": 0, "end": 100_000, "step": 1},
        {"start": 0, "end": 100, "step": "99999999999999y"},
        {"start": 0, "end": 100},
    ],
)
def test_a_range_needs_an_order_and_a_step_that_is_large_enough(
    looker: dict[str, str], asked: dict[str, Any]
) -> None:
    answer = ask("query_range", looker, query=QUERY, **asked)
    assert (answer.status_code, answer.said["errorType"]) == (400, "bad_data")


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("PROM_QUERY_MAX_HOSTS", "hosts"),
        ("PROM_QUERY_MAX_SERIES", "series"),
        ("PROM_QUERY_MAX_POINTS", "points"),
    ],
)
def test_a_query_that_is_too_large_gets_no_part_of_an_answer(
    two_hosts: tuple[Host, Host],
    looker: dict[str, str],
    settings: Any,
    setting: str,
    word: str,
) -> None:
    setattr(settings, setting, 1)
    now = time.time()
    asked = {"query": QUERY, "start": now - 60, "end": now, "step": 5}
    answer = ask("query_range", looker, **asked)
    assert answer.status_code == 422
    assert word in answer.said["error"]
    assert "data" not in answer.said


def test_a_query_that_takes_too_long_is_stopped(
    two_hosts: tuple[Host, Host], looker: dict[str, str], settings: Any
) -> None:
    settings.PROM_QUERY_SECONDS = 0
    answer = ask("query", looker, query=f"sum({QUERY})")
    assert (answer.status_code, answer.said["errorType"]) == (503, "timeout")


def test_the_present_of_more_hosts_than_one_query_may_read_is_told(
    two_hosts: tuple[Host, Host], looker: dict[str, str], settings: Any
) -> None:
    settings.PROM_QUERY_MAX_HOSTS = 1
    assert hosts_in(ask("query", looker, query=QUERY)) == {"web1", "db1"}


def test_a_store_that_is_away_is_no_empty_answer(
    looker: dict[str, str],
) -> None:
    make_host("web1")
    answer = ask("query", looker, query=QUERY)
    assert (answer.status_code, answer.said["errorType"]) == (503, "unavailable")


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (0, 300), (0, 1.7e9), (1e9, 253402300799)]
)
def test_any_time_may_be_asked_for(
    two_hosts: tuple[Host, Host], looker: dict[str, str], start: float, end: float
) -> None:
    asked = {"start": start, "end": end, "step": "1y"}
    for query in (QUERY, f"rate({QUERY}[1h])", f"{QUERY} offset 19y", "topk(NaN, a)"):
        assert ask("query_range", looker, query=query, **asked).status_code == 200
        assert ask("query", looker, query=query, time=end).status_code == 200


PIECES = [
    *"ab01.()[]{}\"'`#\\\n+-*/%^=!~<>,:@m ",
    " or ",
    "sum",
    "rate",
    " by ",
    "offset ",
]


@tries(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example('# "\n((((')
@example('a{b="\\u0000"}')
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        found: Node | str = read(text)
    except QueryError as error:
        found = str(error)
    assert isinstance(found, Node) or found
