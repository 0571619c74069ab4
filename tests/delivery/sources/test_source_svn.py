"""A project's svn repository: trunk, branches, tags and revisions, one of them without .svn, externals or anything run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from appconf.models import Project
from delivery.sources.face import Ref
from delivery.sources.opening import source_of
from delivery.sources.svn_access import address_of
from tests.app_factories import make_project
from tests.delivery.sources.svn_things import SvnRepository, needs_svn

pytestmark = [pytest.mark.django_db, needs_svn]


@pytest.fixture
def svn(tmp_path: Path, settings: Any) -> SvnRepository:
    settings.SOURCE_SVN_PROTOCOLS = ["https", "file"]
    return SvnRepository(tmp_path / "svn")


@pytest.fixture
def project(svn: SvnRepository, db: None) -> Project:
    return make_project(source_type="svn", source_address=svn.url)


def test_branches_tags_and_revisions_since_the_live_one_are_listed(
    svn: SvnRepository, project: Project, admin: User, settings: Any
) -> None:
    svn.commit({"y.txt": "1"}, "second\nwith more to say")
    svn.copy("tags/v1.0")
    svn.copy("branches/feature")
    for number in range(6):
        svn.commit({"y.txt": f"two{number}"}, f"change {number}")
    source = source_of(project, actor=admin)
    refs = source.refs()
    assert [(b.name, b.commit) for b in refs.branches] == [
        ("trunk", "10"),
        ("feature", "4"),
    ]
    assert ([t.name for t in refs.tags], refs.default) == (["v1.0"], "trunk")
    settings.SOURCE_COMMITS = 5
    since = source.commits(until=Ref("branch", "trunk"), since="4")
    assert [c.id for c in since.commits] == ["10", "9", "8", "7", "6"]
    assert (since.total, since.more) == (6, True)
    second = source.commits(until=Ref("branch", "trunk"), page=2)
    assert [c.subject for c in second.commits] == ["change 0", "second", "first"]
    assert source.commits(until=Ref("branch", "trunk"), since="10").total == 0


def test_one_revision_is_laid_out_without_externals(
    svn: SvnRepository, project: Project, admin: User, into: Path
) -> None:
    svn.copy("tags/v1@2")
    svn.commit({"x.txt": "three\n", "a@b.txt": "at\n"}, "third")
    svn.svn("propset", "svn:externals", "etc file:///etc", str(svn.work))
    svn.svn("update", "--ignore-externals", str(svn.work))
    svn.svn("commit", str(svn.work), "-m", "externals")
    source = source_of(project, actor=admin)
    fetched = source.fetch(Ref("branch", "trunk"), into)
    assert {p.name for p in into.rglob("*")} == {"x.txt", "a@b.txt"}
    assert (fetched.commit, fetched.subject, fetched.files) == ("4", "externals", 2)
    for number, (ref, at) in enumerate(
        [
            (Ref("tag", "v1@2"), ""),
            (Ref("commit", "r1"), ""),
            (Ref("commit", "trunk@2"), ""),
            (Ref("branch", "trunk"), "2"),
        ]
    ):
        folder = into / str(number)
        folder.mkdir()
        source.fetch(ref, folder, at=at)
        assert (folder / "x.txt").read_text() == "one\n", ref


def test_an_address_without_trunk_is_one_branch(
    svn: SvnRepository, admin: User, into: Path
) -> None:
    project = make_project(source_type="svn", source_address=f"{svn.url}/trunk")
    source = source_of(project, actor=admin)
    assert [b.name for b in source.refs().branches] == ["HEAD"]
    source.fetch(Ref("branch", "HEAD"), into)
    source.fetch(Ref("commit", "1"), into, at="")
    assert [p.name for p in into.iterdir()] == ["x.txt"]


@pytest.mark.parametrize(
    "ref",
    [
        Ref("branch", "--config-option=config:tunnels:x=touch y"),
        Ref("branch", "../../etc"),
        Ref("branch", "trunk\n--force"),
        Ref("tag", "a\0b"),
        Ref("branch", "nothing"),
        Ref("commit", "HEAD"),
        Ref("commit", "1 --force"),
        Ref("commit", "{2020-01-01}"),
        Ref("commit", "99999"),
        Ref("commit", "../x@1"),
        Ref("elsewhere", "trunk"),
    ],
    ids=lambda ref: ref.name[:20],
)
def test_no_name_of_a_reference_is_an_option_or_leads_out(
    ref: Ref, project: Project, admin: User, into: Path
) -> None:
    with pytest.raises(DomainError):
        source_of(project, actor=admin).fetch(ref, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc",
        "--config-dir=/x",
        "svn+evil://host/x",
        "svn+ssh://host/x",
        "https://ann:secret@host/x",
        "https://ann@host/x",
        "https://host/../x",
        "https://host/-x",
        "https://host/x?y",
        "https://host/x\nhttps://other",
        "https:///x",
        "https://ho$(id)st/x",
        "http://host/x",
        "https://[::1/x",
    ],
)
def test_no_address_leads_elsewhere(
    address: str, admin: User, settings: Any, into: Path
) -> None:
    settings.SOURCE_SVN_PROTOCOLS = ["https"]
    project = Project(pk=1, source_type="svn", source_address=address)
    source = source_of(project, actor=admin)
    with pytest.raises(DomainError):
        source.refs()
    with pytest.raises(DomainError):
        source.fetch(Ref("branch", "trunk"), into)


def test_signs_in_paths_are_never_a_revision_or_an_escape() -> None:
    url = "https://host/svn/a b"
    assert address_of(url, "tags/v1@2") == "https://host/svn/a%20b/tags/v1%402@"
    assert address_of(url, "", 7) == "https://host/svn/a%20b@7"
