"""Looking into outputs: ranges by byte, searches by line, pages of hosts, downloads of hostile output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Host
from tasks import output
from tasks.models import Run, RunHost
from tasks.watching import searching
from tasks.watching.searching import Place, search
from tests.factories import make_host
from tests.tasks.watching.conftest import Ended, write

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
LINES = b"".join(b"line %06d of many\n" % number for number in range(50_000))


@pytest.fixture
def long(ended: Ended, own: Host) -> RunHost:
    return ended({own: ("ok", 0, LINES)}).hosts.get()


def test_the_page_brings_the_end_of_a_long_output_and_says_where_it_begins(
    client_of: Signed, admin: User, long: RunHost
) -> None:
    page = client_of(admin).get(long.run.get_absolute_url())
    panel = page.context["output"]
    assert panel["offset"] == panel["size"] == len(LINES)
    assert len(LINES) - 65_536 <= panel["start"] < len(LINES)
    assert panel["text"].endswith("line 049999 of many\n")
    assert "line 000100 of many" not in page.content.decode()
    assert f'data-start="{panel["start"]}"' in page.content.decode()
    assert "stored 1,000,000 of 1,000,000 bytes" in page.content.decode()


def test_any_part_of_an_output_is_read_by_its_byte(
    client_of: Signed, admin: User, long: RunHost
) -> None:
    client = client_of(admin)
    url = f"{long.run.get_absolute_url()}range/?host={long.pk}"
    first = client.get(f"{url}&from=0").json()
    assert first["text"].startswith("line 000000")
    assert first["size"] == len(LINES)
    second = client.get(f"{url}&from={first['next']}").json()
    assert LINES.decode().startswith(first["text"] + second["text"])
    before = client.get(f"{url}&before={second['offset']}").json()
    assert first["text"].endswith(before["text"])
    middle = client.get(f"{url}&at=200005").json()
    assert middle["text"].startswith("line 010000 of many\n")
    assert client.get(f"{url}&from=x").json()["offset"] == 0


def test_a_search_gives_lines_with_numbers_and_goes_on_where_it_ended(
    client_of: Signed, admin: User, long: RunHost, monkeypatch
) -> None:
    monkeypatch.setattr(searching, "CHUNK_BYTES", 1000)
    client = client_of(admin)
    url = f"{long.run.get_absolute_url()}search/?host={long.pk}"
    found = client.get(f"{url}&q=LINE 0312").json()
    assert [hit["line"] for hit in found["hits"]] == list(range(31201, 31301))
    hit = found["hits"][0]
    assert hit["text"] == "line 031200 of many"
    assert LINES[hit["offset"] :].startswith(b"line 031200")
    assert found["next"] is None
    some = client.get(f"{url}&q=many").json()
    assert len(some["hits"]) == 200
    place = some["next"]
    assert place == {"offset": 200 * 20, "line": 201}
    rest = client.get(f"{url}&q=many&offset={place['offset']}&line={place['line']}")
    assert rest.json()["hits"][0]["line"] == 201
    assert client.get(f"{url}&q=").json()["hits"] == []


def test_words_across_blocks_and_in_endless_lines_are_found(
    ended: Ended, own: Host, monkeypatch
) -> None:
    monkeypatch.setattr(searching, "CHUNK_BYTES", 100_000)
    text = b"x" * 99_997 + b"needle" + b"y" * 200_000 + b"needle\nlast needle"
    run = ended({own: ("ok", 0, text)})
    found = search(run.pk, run.hosts.get().pk, "Needle", Place())
    at = [(hit.offset, hit.line) for hit in found.hits]
    assert (99_997, 1) in at
    assert at[-1] == (text.rindex(b"needle"), 2)
    assert found.place is None


def test_hosts_that_say_it_are_found_bit_by_bit(
    client_of: Signed, admin: User, ended: Ended, monkeypatch
) -> None:
    monkeypatch.setattr(searching, "SECONDS_AT_ONCE", -1)
    hosts = [make_host(f"h{number}") for number in range(3)]
    said = dict.fromkeys(hosts[:2], ("ok", 0, b"no\nyes <b>\nyes\n"))
    run = ended({**said, hosts[2]: ("ok", 0, b"no\n")})
    client = client_of(admin)
    text = client.get(f"{run.get_absolute_url()}found/?q=yes").content.decode()
    assert "h0" in text
    assert "h1" not in text
    assert "2: yes &lt;b&gt;" in text
    first = run.hosts.get(host=hosts[0])
    assert f"after={first.pk}&amp;looked=1&amp;count=1" in text
    monkeypatch.setattr(searching, "SECONDS_AT_ONCE", 10)
    text = client.get(
        f"{run.get_absolute_url()}found/?q=yes&after={first.pk}&looked=1&count=1"
    ).content.decode()
    assert "h1" in text
    assert "searched 3 hosts with output, 2 say it" in text
    assert "hx-trigger" not in text


def test_hosts_are_turned_page_by_page_and_narrowed(
    client_of: Signed, admin: User, ended: Ended
) -> None:
    hosts = [make_host(f"h{number:03d}") for number in range(60)]
    said = dict.fromkeys(hosts[:57], ("ok", 0, b"same\n"))
    run = ended({**said, **dict.fromkeys(hosts[57:], ("failed", 2, b"other\n"))})
    client, url = client_of(admin), f"{run.get_absolute_url()}hosts/"

    def names(query: str) -> list[str]:
        return [row.host_name for row in client.get(url + query).context["page"]]

    assert names("") == [f"h{number:03d}" for number in range(50)]
    assert names("?page=2") == [f"h{number:03d}" for number in range(50, 60)]
    assert names("?status=failed") == ["h057", "h058", "h059"]
    assert names("?exit=2&name=58") == ["h058"]
    assert names("?exit=x") == names("?exit=none") == []
    digest = run.hosts.get(host=hosts[59]).output_hash
    assert names(f"?output={digest}") == ["h057", "h058", "h059"]
    groups = client.get(run.get_absolute_url()).context["groups"]
    assert [(g.status, g.count, g.kinds) for g in groups] == [
        ("failed", 3, 1),
        ("ok", 57, 1),
    ]
    assert [one.lines for one in groups[1].outputs] == [["same"]]


HOSTILE = b"</pre><script>alert(1)</script>\x1b]0;title\x07\x1b[31mred\x1b[0m\x00\r\n"


def test_hostile_output_is_text_on_the_page_and_a_file_to_take_away(
    client_of: Signed, admin: User, ended: Ended
) -> None:
    host = make_host("h1")
    run = ended({host: ("failed", 1, HOSTILE)})
    RunHost.objects.update(host_name='x"\r\n/../<b>.log')
    client, row = client_of(admin), run.hosts.get()
    text = client.get(run.get_absolute_url()).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    answer: Any = client.get(f"{run.get_absolute_url()}download/", {"host": row.pk})
    assert b"".join(answer.streaming_content) == HOSTILE
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    name = f"run-{run.pk}-x_.._b_.log.log"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'


def test_whoever_only_looks_is_led_on_to_the_end_and_programs_get_all(
    client_of: Signed, admin: User, long: RunHost, monkeypatch
) -> None:
    monkeypatch.setattr("tasks.feed.FAR_BEHIND", 100_000)
    monkeypatch.setattr("tasks.feed.SHOWN_BYTES", 1000)
    client = client_of(admin)
    url = f"{long.run.get_absolute_url()}output/?host={long.pk}"
    told = client.get(f"{url}&skip=1").json()
    skip, piece = told["messages"][:2]
    assert skip["type"] == "skip"
    assert skip["offset"] == piece["offset"] >= len(LINES) - 1000
    assert told["offset"] == len(LINES)
    told = client.get(url).json()
    assert told["messages"][0]["offset"] == 0


def test_the_newest_lines_are_told_while_more_comes_than_is_kept(
    client_of: Signed, admin: User, long: RunHost, settings
) -> None:
    settings.RUN_OUTPUT_BYTES_PER_HOST = 1024
    Run.objects.update(status="running")
    RunHost.objects.update(status="running")
    file = output.OutputFile(long.run_id, long.pk, [], output.Hints(long.run_id))
    file.write(b"newest\n" * 500)
    client = client_of(admin)
    url = f"{long.run.get_absolute_url()}output/?host={long.pk}&offset=1000000&skip=1"
    told = [
        one for one in client.get(url).json()["messages"] if one["type"] == "newest"
    ]
    assert told[0]["text"].endswith("newest\n")
    page = client.get(long.run.get_absolute_url()).content.decode()
    assert "more than is kept" in page


def test_an_output_that_lost_bytes_on_the_disk_says_so(
    client_of: Signed, admin: User, long: RunHost
) -> None:
    output.path_of(long.run_id, long.pk).write_bytes(b"only this")
    text = client_of(admin).get(long.run.get_absolute_url()).content.decode()
    assert "stored 1,000,000 bytes, but only 9 of them are left" in text


def test_an_empty_output_and_a_missing_file_do_no_harm(
    client_of: Signed, admin: User, ended: Ended, own: Host
) -> None:
    run = ended({own: ("unreachable", None, b"")})
    row = run.hosts.get()
    write(run, row.pk, b"")
    client = client_of(admin)
    assert "no output" in client.get(run.get_absolute_url()).content.decode()
    output.path_of(run.pk, row.pk).unlink()
    assert client.get(run.get_absolute_url()).status_code == 200
    assert client.get(f"{run.get_absolute_url()}archive/").status_code == 200
