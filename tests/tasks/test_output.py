"""Output files: byte offsets, whole characters, bounds with head and end, gathered writes."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks import kept_output, output
from tasks.kept_output import aside_of, mend
from tasks.output import Hints, OutputFile, path_of

Make = Callable[..., OutputFile]


@pytest.fixture
def make(settings, tmp_path) -> Make:
    settings.RUN_DIR = tmp_path
    settings.RUN_OUTPUT_TAIL_BYTES = 512

    def made(limit: int | None = None) -> OutputFile:
        return OutputFile(1, 7, ["hunter2hunter2"], Hints(1), limit)

    return made


@pytest.fixture
def file(make: Make, monkeypatch) -> OutputFile:
    """One that waits for nothing."""
    monkeypatch.setattr(output, "FLUSH_SECONDS", 0)
    return make()


def no_space(path: Path, data: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def on_disk() -> bytes:
    return path_of(1, 7).read_bytes()


def test_reading_goes_on_where_it_stopped(file: OutputFile) -> None:
    file.write(b"one\n")
    first = output.read(1, 7, 0)
    file.write(b"two\n")
    second = output.read(1, 7, first.next_offset)
    assert (first.text, second.text, second.offset) == ("one\n", "two\n", 4)
    assert output.read(1, 7, second.next_offset).text == ""


def test_a_character_is_never_cut_in_two(file: OutputFile) -> None:
    data = "温度\n".encode()
    file.write(data[:4])
    first = output.read(1, 7, 0)
    assert (first.text, first.next_offset) == ("温", 3)
    file.write(data[4:])
    assert output.read(1, 7, first.next_offset).text == "度\n"
    pieces, offset = "", 0
    while (piece := output.read(1, 7, offset, most=4)).text:
        pieces, offset = pieces + piece.text, piece.next_offset
    assert pieces == "温度\n"


def test_bytes_that_are_no_text_do_not_stop_the_reading(file: OutputFile) -> None:
    file.write(b"a\xff\xfeb\xe6")
    assert output.read(1, 7, 0).text == "a��b"
    assert output.read(1, 7, 0, last=True).text == "a��b�"


def test_a_secret_in_two_pieces_is_masked(file: OutputFile) -> None:
    file.write(b"it is hunter2")
    file.write(b"hunter2!")
    file.close()
    assert output.read(1, 7, 0).text == "it is ••••!"


def test_what_does_not_exist_reads_as_nothing(settings, tmp_path) -> None:
    settings.RUN_DIR = tmp_path
    assert output.read(1, 99, 0).text == ""
    assert output.read(1, None, 10**30).text == ""
    assert output.read_before(1, 99, 50).text == ""
    assert output.size(1, 99) == 0


def test_the_first_piece_is_written_at_once_and_what_follows_is_gathered(
    make: Make, monkeypatch
) -> None:
    monkeypatch.setattr(output, "FLUSH_SECONDS", 60)
    file = make()
    file.write(b"at once\n")
    file.write(b"soon\n")
    file.flush_due()
    assert on_disk() == b"at once\n"
    monkeypatch.setattr(output, "FLUSH_SECONDS", 0)
    file.flush_due()
    assert on_disk() == b"at once\nsoon\n"


def test_much_is_not_held_back(make: Make, monkeypatch) -> None:
    monkeypatch.setattr(output, "FLUSH_SECONDS", 60)
    file = make()
    file.write(b"x")
    file.write(b"y" * output.FLUSH_BYTES)
    assert len(on_disk()) == output.FLUSH_BYTES + 1


def test_of_a_long_output_the_head_and_the_end_are_kept_with_a_mark(make: Make) -> None:
    file = make(2000)
    lines = [b"line %05d\n" % number for number in range(10_000)]
    for line in lines:
        file.write(line)
    file.close()
    text = on_disk().decode()
    assert text.startswith("line 00000\nline 00001\n")
    assert text.endswith("line 09999\n")
    assert len(text) < 2100
    left_out = file.received - file.kept
    assert f"\n[AdminSet: {left_out} bytes are left out here]\n" in text
    assert file.received == sum(map(len, lines))
    assert file.size == len(text)
    assert file.digest == hashlib.sha256(text.encode()).hexdigest()


def test_what_just_has_room_is_kept_whole(make: Make) -> None:
    file = make(2000)
    for _number in range(20):
        file.write(b"x" * 100)
    file.close()
    assert on_disk() == b"x" * 2000
    assert (file.received, file.kept, file.size) == (2000, 2000, 2000)


def test_the_newest_part_can_be_read_while_more_comes_than_is_kept(
    file: OutputFile, make: Make
) -> None:
    chatty = make(1024)
    chatty.write(b"head\n" * 1000)
    received, text = output.newest(1, 7)
    assert received == 5000
    assert text.endswith("head\n")
    chatty.close()
    assert output.newest(1, 7) == (0, "")
    assert not aside_of(path_of(1, 7)).exists()


def test_a_lost_worker_leaves_the_end_beside_and_it_is_put_back(
    file: OutputFile, make: Make
) -> None:
    lost = make(1024)
    lost.write(b"0123456789\n" * 500)
    assert mend(path_of(1, 7))
    text = on_disk().decode()
    assert "[AdminSet: at least" in text
    assert text.endswith("0123456789\n")
    assert not mend(path_of(1, 7))
    assert on_disk().decode() == text


def test_a_second_file_of_the_same_host_goes_on_after_the_first(make: Make) -> None:
    first = make()
    first.write(b"before\n")
    first.close()
    second = make()
    second.write(b"after\n")
    second.close()
    assert on_disk() == b"before\nafter\n"
    assert second.received == second.kept == 13
    assert second.digest == hashlib.sha256(b"before\nafter\n").hexdigest()


def test_many_threads_write_whole_pieces(make: Make) -> None:
    file = make(10**7)

    def write(word: bytes) -> None:
        for _number in range(200):
            file.write(word * 50 + b"\n", word.decode())

    threads = [threading.Thread(target=write, args=(word,)) for word in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    lines = on_disk().split(b"\n")
    assert {bytes(line) for line in lines} == {b"a" * 50, b"b" * 50, b""}
    assert len(lines) == 401


def test_reading_backwards_begins_with_a_line(file: OutputFile) -> None:
    file.write("erste\nzweite Zeile\n温度温度温度".encode())
    size = output.size(1, 7)
    piece = output.read_before(1, 7, size, most=25)
    assert (piece.text, piece.next_offset) == ("温度温度温度", size)
    before = output.read_before(1, 7, piece.offset, most=10_000)
    assert before.text == "erste\nzweite Zeile\n"
    assert output.read_before(1, 7, size, most=7).text == "温度"
    assert output.line_start(1, 7, 10) == 6
    assert output.line_start(1, 7, 3) == 0


def test_hosts_share_what_is_kept_of_a_run(settings) -> None:
    settings.RUN_OUTPUT_BYTES_PER_HOST = 4 * 2**20
    settings.RUN_OUTPUT_BYTES = 2**30
    assert output.limits(10, whole=False) == (4 * 2**20, 2**30)
    assert output.limits(1000, whole=False)[0] == 2**30 // 1000
    assert output.limits(1000, whole=True) == (2**29 // 1000, 2**29)
    settings.RUN_OUTPUT_BYTES = 2**20
    assert output.limits(10_000, whole=False)[0] == output.LEAST_BYTES


def test_a_file_that_the_disk_does_not_take_is_broken_and_says_so_to_who_writes(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make()
    file.write(b"kept\n")
    file.write(b"gathered\n")
    file._flushed = 0
    with monkeypatch.context() as full:
        full.setattr(kept_output, "append_to", no_space)
        file.flush_due()
    assert file.broken == "No space left on device"
    # There is room again, but what is missing must not go unseen.
    with pytest.raises(OSError, match="No space left"):
        file.write(b"more\n")
    file.close()
    assert on_disk() == b"kept\n"
