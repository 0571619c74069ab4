"""The health gate on a host, and blue-green: nobody is sent to what is not well."""

from __future__ import annotations

import functools
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from delivery.onhost.programs import program
from tests.delivery.onhost.host_things import Box, make_pack
from tests.farm import free_port


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the codes it is told, the last of them again and again."""

    def do_GET(self) -> None:
        server: Web = self.server  # type: ignore[assignment]
        server.asked += 1
        code = server.codes.pop(0) if len(server.codes) > 1 else server.codes[0]
        self.send_response(code)
        self.end_headers()
        self.wfile.write(b"all is well\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Web(http.server.ThreadingHTTPServer):
    """An application."""

    codes: list[int]
    asked = 0


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(("127.0.0.1", 0), functools.partial(Answers)) as server:
        server.codes = [200]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def ready(box: Box) -> Box:
    box.deliver(make_pack({"app": b"1"}), "1-a", AS_DEPLOY=1)
    box.run("claim")
    box.receive(make_pack({"app": b"2"}), "2-b")
    own = {"AS_HEALTH_PAUSE": "0", "AS_HEALTH_ATTEMPTS": "3", "AS_HEALTH_SECONDS": "5"}
    box.values |= own | {"AS_RELEASE": "2-b"}
    return box


def test_http_is_asked_until_it_is_well(ready: Box, web: Web) -> None:
    web.codes = [503, 500, 200]
    target = f"http://127.0.0.1:{web.server_address[1]}/health"
    done = ready.run("activate", AS_HEALTH="http", AS_HEALTH_TARGET=target)
    assert (done.code, done.told["health_attempts"], web.asked) == (0, "3", 3)


@pytest.mark.parametrize("content", ["all is well", "all is not well"])
def test_the_answer_must_hold_the_text(ready: Box, web: Web, content: str) -> None:
    target = f"http://127.0.0.1:{web.server_address[1]}/"
    told = {"AS_HEALTH_TARGET": target, "AS_HEALTH_CONTENT": content}
    done = ready.run("activate", AS_HEALTH="http", **told)
    assert done.code == (78 if "not" in content else 0)
    assert not [*(ready.root / ".adminset").glob("answer*")]


@pytest.mark.parametrize("left", ["curl", "wget", "python3"])
def test_http_is_asked_by_whatever_is_there(ready: Box, web: Web, left: str) -> None:
    text = program("activate")
    for one in {"curl", "wget", "python3"} - {left}:
        text = text.replace(f"command -v {one} ", f"command -v no-{one} ")
    target = f"http://127.0.0.1:{web.server_address[1]}/"
    told = {
        "AS_HEALTH_TARGET": target,
        "AS_HEALTH": "http",
        "AS_HEALTH_CONTENT": "well",
    }
    assert ready.run("activate", text=text, **told).code == 0
    web.codes = [500]
    assert ready.run("activate", text=text, **told).code == 78


def test_a_port_that_nobody_listens_at_is_not_well(ready: Box, web: Web) -> None:
    told = {"AS_HEALTH": "tcp"}
    target = f"127.0.0.1:{web.server_address[1]}"
    assert ready.run("activate", AS_HEALTH_TARGET=target, **told).code == 0
    closed = f"127.0.0.1:{free_port('127.0.0.1')}"
    done = ready.run("activate", AS_HEALTH_TARGET=closed, **told)
    assert (done.code, done.told["health_attempts"]) == (78, "3")
    assert closed in done.told["why"]


def test_bad_health_says_so_shows_the_log_and_can_be_taken_back(ready: Box) -> None:
    log = ready.root / "shared/app.log"
    log.write_text("it fell over here\n")
    told = {"AS_HEALTH": "command", "AS_HEALTH_TARGET": "grep -q 1 app"}
    done = ready.run("activate", AS_LOG_PATH=log, **told)
    assert (done.code, done.told["switched"], ready.live) == (78, "yes", "2-b")
    assert "Not well after 3 tries" in done.told["why"]
    assert "it fell over here" in done.text
    back = ready.run("switch_back", AS_TO="1-a", **told)
    assert (back.code, ready.live) == (0, "1-a")


def test_ports_that_are_taken_are_found_before(box: Box, web: Web) -> None:
    taken, free = web.server_address[1], free_port("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talks:
        talks.bind(("127.0.0.1", 0))
        bound = talks.getsockname()[1]
        ports = f"{taken}/tcp {free}/tcp {bound}/udp {free}/udp"
        told = box.run("check", AS_PORTS=ports).told
    assert told["check_ports"] == f"fail {taken}/tcp {bound}/udp"
    free_ones = box.run("check", AS_PORTS=f"{free}/tcp {taken}/udp")
    assert free_ones.told["check_ports"].startswith("ok")
    levels = {k: v.split()[0] for k, v in told.items() if k.startswith("check_")}
    assert [k for k, v in levels.items() if v == "fail"] == ["check_ports"]


def test_where_it_is_live_the_application_has_its_ports(ready: Box, web: Web) -> None:
    told = ready.run("check", AS_PORTS=f"{web.server_address[1]}/tcp").told
    assert "check_ports" not in told
    assert told["check_current"] == "ok 1-a"


SWITCH = 'echo "$ADMINSET_SLOT $(cat app)" >>../../served'


def test_blue_green_starts_the_other_slot_before_anybody_is_sent_there(
    ready: Box,
) -> None:
    note = 'echo "$ADMINSET_SLOT $(readlink ../../current)" >>../../started'
    told = {"AS_SWITCH_COMMAND": SWITCH, "AS_RESTART": note}
    health = {"AS_HEALTH": "command", "AS_HEALTH_TARGET": "grep -q 2 app"}
    first = ready.run("activate", **told, **health)
    assert (first.code, first.told["slot"]) == (0, "blue")
    assert (ready.root / "started").read_text() == "blue releases/1-a\n"
    assert (ready.root / "served").read_text() == "blue 2\n"
    assert str((ready.root / "blue").readlink()) == "releases/2-b"
    ready.receive(make_pack({"app": b"3"}), "3-c")
    bad = ready.run("activate", AS_RELEASE="3-c", **told, **health)
    # It is not well in the other slot: nobody was sent there.
    assert (bad.code, bad.told["switched"], ready.live) == (74, "no", "2-b")
    assert (ready.root / "served").read_text() == "blue 2\n"
    good = ready.run("activate", AS_RELEASE="3-c", **told)
    assert (good.code, good.told["slot"], ready.live) == (0, "green", "3-c")
    back = ready.run("switch_back", AS_TO="2-b", **told)
    assert (back.code, back.told["slot"], ready.live) == (0, "blue", "2-b")
    assert (ready.root / "served").read_text() == "blue 2\ngreen 3\nblue 2\n"
    ready.run("finish", AS_RELEASE="2-b", AS_KEEP=1)
    assert (ready.root / "releases/3-c").is_dir()


def test_a_switch_command_that_fails_leaves_all_where_they_are(ready: Box) -> None:
    told = {"AS_SWITCH_COMMAND": SWITCH}
    assert ready.run("activate", **told).code == 0
    ready.receive(make_pack({"app": b"3"}), "3-c")
    bad = ready.run("activate", AS_RELEASE="3-c", AS_SWITCH_COMMAND="exit 4")
    assert (bad.code, bad.told["switched"], bad.told["live"]) == (74, "no", "2-b")
    state = ready.run("read").told
    assert (state["live"], state["previous"], state["slot"]) == ("2-b", "1-a", "blue")
    assert ready.run("activate", AS_RELEASE="3-c", **told).code == 0
    state = ready.run("read").told
    assert (state["live"], state["previous"], state["slot"]) == ("3-c", "2-b", "green")


# The file that it would write next is a folder: as on a full disk.
FULL = """cd "$ADMINSET_ROOT/.adminset"
for one in busy/*; do one=${one#busy/}; mkdir "switching.${one%%.*}"; done
exit 4"""


def test_a_switch_that_cannot_be_undone_is_told_as_made(ready: Box) -> None:
    told = {"AS_SWITCH_COMMAND": SWITCH}
    assert ready.run("activate", **told).code == 0
    ready.receive(make_pack({"app": b"3"}), "3-c")
    bad = ready.run("activate", AS_RELEASE="3-c", AS_SWITCH_COMMAND=FULL)
    assert (bad.code, bad.told["switched"], ready.live) == (77, "yes", "3-c")
    assert "could not be switched back. Release 3-c is live here." in bad.told["why"]
    state = ready.run("read").told
    assert (state["live"], state["previous"], state["slot"]) == ("3-c", "2-b", "green")
    # One step back leads to what was live, in the slot that all still use.
    back = ready.run("switch_back", **told)
    assert (back.code, back.told["slot"], ready.live) == (0, "blue", "2-b")


def test_only_logs_of_applications_are_shown(ready: Box) -> None:
    told = {"AS_HEALTH": "command", "AS_HEALTH_TARGET": "false"}
    (ready.root / "shared/way").symlink_to("/etc/passwd")
    (ready.root / "shared/folder").symlink_to("/etc")
    for path in (
        "/etc/passwd",
        f"{ready.root}/shared/way",
        f"{ready.root}/shared/folder/passwd",
        f"{ready.root}/../../../../etc/passwd",
    ):
        done = ready.run("activate", AS_LOG_PATH=path, **told)
        assert done.code == 78
        assert "root:" not in done.text


def test_a_log_may_be_named_by_the_links_of_the_release(ready: Box) -> None:
    (ready.root / "shared/log").mkdir()
    (ready.root / "shared/log/app.log").write_text("a line\n" * 3000 + "the last\n")
    (ready.root / "releases/2-b/log").symlink_to("../../shared/log")
    told = {"AS_HEALTH": "command", "AS_HEALTH_TARGET": "false"}
    log = f"{ready.root}/current/log/app.log"
    done = ready.run("activate", AS_LOG_PATH=log, **told)
    assert "the last" in done.text
    assert done.text.count("a line") < 50
