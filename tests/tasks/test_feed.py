"""A watcher who turns to another host while a read goes on: what was allowed for one host is not taken for the other."""

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from tasks import feed as feeds
from tasks import output
from tasks.feed import Feed
from tasks.output import Hints, OutputFile
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("whole_run", [False, True])
def test_turning_in_the_middle_of_a_read_shows_nothing_of_others(
    admin: User,
    operator: User,
    group: HostGroup,
    other_group: HostGroup,
    run_dir: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    whole_run: bool,
) -> None:
    mine, foreign = (
        make_host("mine", groups=[group]),
        make_host("foreign", groups=[other_group]),
    )
    ids = (mine.pk, foreign.pk)
    run = request_run(actor=admin, spec=RunSpec(command="id", host_ids=ids))
    rows = {row.host_name: row.pk for row in run.hosts.all()}
    for target, text in (
        (rows["mine"], b"own line\n"),
        (rows["foreign"], b"secret line\n"),
        (None, b"secret of all\n"),
    ):
        OutputFile(run.pk, target, [], Hints(run.pk)).write(text)
    watcher = Feed(operator, run.pk, rows["mine"], 0)
    read = output.read

    def turning(*args: Any, **kwargs: Any) -> output.Piece:
        watcher.turn_to(None if whole_run else rows["foreign"], 0)
        return read(*args, **kwargs)

    monkeypatch.setattr(feeds.output, "read", turning)
    found = [message for _ in range(3) for message in watcher.read() or []]
    texts = [message["text"] for message in found if message["type"] == "output"]
    assert texts == ["own line\n"]
