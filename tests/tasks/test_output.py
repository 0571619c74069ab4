"""Output files: byte offsets, whole characters, bounds."""

from __future__ import annotations

import pytest

from tasks import output
from tasks.output import Hints, OutputFile


@pytest.fixture
def file(settings, tmp_path) -> OutputFile:
    settings.RUN_DIR = tmp_path
    return OutputFile(1, 7, ["hunter2hunter2"], Hints(1))


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
    assert output.size(1, 99) == 0
