"""Legs on real servers: what reaches the program, what it tells, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmdb.models import Host
from tasks import output
from tasks.legs.reading import reports
from tasks.models import Run
from tests.tasks.conftest import results

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]


def text_of(run: Run) -> dict[str, str]:
    return {
        row.host_name: output.read(run.pk, row.pk, 0).text for row in run.hosts.all()
    }


def test_values_reach_the_program_and_nothing_else_does(
    do_leg: Do, hosts: list[Host]
) -> None:
    run = do_leg(
        'env | grep -v -e "^SSH_" | cut -d= -f1 | sort | tr "\\n" " "; echo "[$A] [$B] [$C]"',
        values={"A": "one two; $(id) 'x'\n\"y\"", "B": "all"},
        host_values={hosts[0].pk: {"B": "mine"}},
        host_secret_values={hosts[1].pk: {"C": "of-one-host-only"}},
    )
    assert (run.status, set(results(run).values())) == ("ok", {("ok", 0)})
    told = text_of(run)
    assert "[one two; $(id) 'x'\n\"y\"] [mine] []" in told["host0"]
    assert "[all]" in told["host1"]
    assert "of-one-host-only" not in told["host1"]
    names = set(told["host0"].split("[")[0].split())
    assert {"A", "B", "AS_MARK", "ADMINSET_RUN"} <= names
    assert not {
        name
        for name in names
        if name.startswith(("DJANGO", "ADMINSET_E", "REDIS", "DATABASE"))
    }
    assert "C" in told["host1"].split("[")[0].split()
    assert "C" not in names


def test_what_a_program_tells_is_kept_by_key_and_is_no_output(
    do_leg: Do, hosts: list[Host]
) -> None:
    run = do_leg(
        'echo before; echo "@$AS_MARK live 1-aa"; echo "@$AS_MARK live 2-bb"; echo "@$AS_MARK empty "; echo after; exit 75'
    )
    assert results(run) == dict.fromkeys(["host0", "host1", "host2"], ("failed", 75))
    found = reports(run)
    assert set(found) == {host.pk for host in hosts}
    one = found[hosts[0].pk]
    assert dict(one.said) == {"live": "2-bb", "empty": ""}
    assert (one.status, one.exit_code, one.host_name, one.refused) == (
        "failed",
        75,
        "host0",
        0,
    )
    assert one.ended_at
    assert not one.is_open
    assert set(text_of(run).values()) == {"before\nafter\n"}
