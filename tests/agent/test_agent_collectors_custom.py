"""Values of others: the text format read strictly, the folder, the local socket."""

import os
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import exposition, push
from agent.collectors import custom
from agent.errors import ConfigError
from agent.push import Push

CAPTURED = Path(__file__).resolve().parent / "captured"
BAD = [
    "no_value",
    "name 1 2 3",
    "name one",
    "name 1_000",
    "1name 2",
    'name{a="b" 1',
    'name{a="b"}1',
    "name{a=b} 1",
    'name{a="1",a="2"} 1',
    'name{a="\\x"} 1',
    'name{="b"} 1',
    "a" * 120 + " 1",
    'name{a="' + "x" * 250 + '"} 1',
    "name{} 1 " + "9" * 5000,
]


def folder(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name}.prom").write_text(text)
    return custom.Folder(str(tmp_path))


def test_names_and_labels_are_written_our_way():
    values = exposition.parse((CAPTURED / "node.prom").read_text())
    assert values == {
        "custom.backup_size_bytes|host=a%2Cb,job=nightly": 1.5e9,
        "custom.backup_ok": 1.0,
        "custom.backup_duration": 12.25,
    }


def test_escapes_in_labels_are_understood():
    text = 'x{a="say \\"hi\\"",b="1\\n2",c="\\\\",} +Inf\nx{a="100%"} 2\n'
    assert exposition.parse(text) == {"custom.x|a=100%25": 2.0}
    named = exposition.parse('x{b="1\\n2",a="\\\\\\""} 1')
    assert named == {'custom.x|a=\\",b=1%0A2': 1.0}


@pytest.mark.parametrize("line", BAD)
def test_a_wrong_line_spoils_the_text_and_is_never_quoted(line):
    with pytest.raises(exposition.BadLineError) as caught:
        exposition.parse(f"good 1\n{line}\n")
    assert "line 2" in str(caught.value)
    assert len(str(caught.value)) < 80


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_gives_finite_values_or_a_bad_line(text):
    try:
        values = exposition.parse(text)
    except exposition.BadLineError:
        return
    assert all(abs(value) < float("inf") for value in values.values())
    assert all(name.startswith("custom.") for name in values)


def test_a_label_of_any_value_is_one_label():
    odd = 'x{a="' + "\u2028,=|é" + '"} 1'
    (name,) = exposition.parse(odd)
    assert name.isprintable()
    assert "," not in name.partition("|")[2]


def test_a_folder_gives_the_values_of_its_files_and_their_age(tmp_path):
    found = folder(tmp_path, a="one 1\n", b="two 2\n").collect()
    assert found.values["custom.one"] == 1.0
    assert found.values["custom.two"] == 2.0
    assert 0 <= found.values["custom.file_age_seconds|file=a.prom"] < 60


def test_a_bad_file_leaves_the_others_alone_and_is_told_once(tmp_path, caplog):
    shelf = folder(tmp_path, a="one 1\n", b="oh no\n")
    found = [shelf.collect() for _ in range(2)]
    assert all("custom.one" in each.values for each in found)
    assert caplog.text.count("custom_file_refused") == 1
    assert "oh no" not in caplog.text


def test_links_pipes_and_large_files_are_not_read(tmp_path):
    (tmp_path / "secret").write_text("password 1\n")
    (tmp_path / "link.prom").symlink_to(tmp_path / "secret")
    os.mkfifo(str(tmp_path / "pipe.prom"))
    (tmp_path / "large.prom").write_text("x 1\n" * 100000)
    (tmp_path / "folder.prom").mkdir()
    (tmp_path / "other.txt").write_text("y 1\n")
    assert custom.Folder(str(tmp_path)).collect().values == {}


def test_more_than_the_bounds_is_left_out_and_counted(tmp_path):
    many = "".join(f'x{{n="{number}"}} 1\n' for number in range(600))
    files = {f"f{number:02}": "z 1\n" for number in range(40)}
    found = folder(tmp_path, a=many, **files).collect()
    assert len(found.values) == custom.MOST_VALUES
    assert found.left_out["custom"] > 0
    assert found.left_out["custom_files"] == 9


def test_no_folder_gives_nothing():
    assert custom.Folder("").collect().values == {}
    assert custom.Folder("/no/such/folder").collect().values == {}


@pytest.fixture
def listening(tmp_path):
    started = []

    def start(listen=None):
        server = Push(listen or str(tmp_path / "push.sock"))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()
        assert not server.is_alive()


def sent(server, *texts):
    with socket.socket(server.socket.family, socket.SOCK_DGRAM) as client:
        for text in texts:
            client.sendto(text.encode(), server.socket.getsockname())


def arrived(server, name):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if name in server.collect().values:
            return True
        time.sleep(0.01)
    return False


def test_values_pushed_to_a_socket_are_held(listening, tmp_path):
    server = listening()
    sent(server, "broken line\n", 'queue{name="mail"} 7\n')
    assert arrived(server, "custom.queue|name=mail")
    assert (tmp_path / "push.sock").stat().st_mode & 0o777 == 0o660


def test_a_port_of_the_loopback_works_too(listening):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = listening(f"127.0.0.1:{port}")
    sent(server, "jobs 3\n")
    assert arrived(server, "custom.jobs")


def test_old_values_are_forgotten_and_new_ones_bounded(tmp_path, monkeypatch):
    server = Push(str(tmp_path / "push.sock"))
    lines = [f"x{number} 1" for number in range(push.MOST_VALUES + 5)]
    for start in range(0, len(lines), 100):
        server.take("\n".join(lines[start : start + 100]).encode())
    found = server.collect()
    assert (len(found.values), found.left_out) == (push.MOST_VALUES, {"pushed": 5})
    monkeypatch.setattr(push, "KEPT_SECONDS", -1.0)
    assert server.collect().values == {}
    server.take(b"x" * (push.LARGEST + 1))
    server.take(b"\xff\xfe")
    assert server.collect().values == {}
    server.stop()


def test_a_socket_left_behind_is_replaced_and_another_file_is_not(tmp_path):
    path = tmp_path / "push.sock"
    Push(str(path)).stop()
    Push(str(path)).stop()
    path.unlink()
    path.write_text("mine")
    with pytest.raises(ConfigError):
        Push(str(path))
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9125", "10.0.0.1:9125", "127.0.0.1:0", "x"]
)
def test_it_listens_to_nobody_but_this_host(listen):
    with pytest.raises(ConfigError, match="push_listen"):
        push.address(listen)
