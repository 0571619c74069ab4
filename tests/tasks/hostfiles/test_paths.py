"""Paths are bytes: written without loss, shown without tricks, refused where they are none."""

from __future__ import annotations

import json

import pytest
from django.test import RequestFactory

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tests.tasks.hostfiles.things import ODD_NAMES

ALL_BYTES = bytes(n for n in range(1, 256) if n != ord("/"))


@pytest.mark.parametrize("name", [*ODD_NAMES, ALL_BYTES])
def test_every_byte_comes_back_from_an_address_and_from_json(name: bytes) -> None:
    path = b"/srv/" + name
    text = paths.written(path)
    assert paths.read(json.loads(json.dumps(text))) == path
    request = RequestFactory().get(f"/?path={text}")
    assert paths.of_query(request) == path


def test_several_paths_of_one_address_stay_apart() -> None:
    request = RequestFactory().get("/?path=/a%20b&path=/c%FF&other=/d")
    assert paths.all_of_query(request) == [b"/a b", b"/c\xff"]


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"etc/passwd",
        b"/srv/../etc",
        b"/./etc",
        b"/a\0b",
        b"/" + b"a" * 256,
        b"/a" * 3000,
    ],
)
def test_what_is_no_path_is_refused(path: bytes) -> None:
    with pytest.raises(DomainError) as refused:
        paths.checked(path)
    assert refused.value.code == "bad_path"


@pytest.mark.parametrize("text", [None, 7, ["/etc"], "/ü"])
def test_what_is_not_written_as_the_page_does_is_refused(text: object) -> None:
    with pytest.raises(DomainError):
        paths.read(text)


def test_needless_slashes_go() -> None:
    assert paths.checked(b"//srv//www/") == b"/srv/www"
    assert paths.checked(b"/") == b"/"


def test_what_cannot_be_seen_is_shown_by_its_number() -> None:
    assert paths.shown(b"a\nb\x1b[2J") == "a[U+000A]b[U+001B][2J"
    assert paths.shown("a\u202egnp.exe".encode()) == "a[U+202E]gnp.exe"
    assert paths.shown(b"bad\xff") == "bad\\xff"
    assert paths.shown("文件".encode()) == "文件"


def test_below_means_below() -> None:
    assert paths.is_within(b"/a/b", b"/a")
    assert paths.is_within(b"/a", b"/")
    assert not paths.is_within(b"/ab", b"/a")
    assert not paths.is_within(b"/a", b"/a")
