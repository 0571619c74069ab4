"""The file of a package: counted while it is stored, given only to who may have it, gone with its last package."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from adminset.models import AuditEntry
from appconf import extensions, package_store
from appconf.models import Package
from cmdb.models import Installation, Software
from tests.app_factories import make_package
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
BODY = b"a package \x00 of bytes" * 5000
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where packages lie in these tests."""
    settings.PACKAGES_DIR = tmp_path / "packages"
    return tmp_path / "packages"


def _send(browser: Any, package: Package, body: bytes = BODY, **values: Any) -> Any:
    name = values.pop("name", "jdk-21.tar.gz")
    sent = values | {"upload": SimpleUploadedFile(name, body)}
    return browser.post(f"/appconf/packages/{package.pk}/upload/", sent)


def _kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_kept_under_its_sha256_and_comes_back_whole(
    client_of: Any, admin: User, folder: Path
) -> None:
    package = make_package("jdk", "21")
    browser = client_of(admin)
    assert _send(browser, package, sha256=SHA256.upper()).status_code == 302
    package.refresh_from_db()
    assert (package.sha256, package.size) == (SHA256, len(BODY))
    assert _kept(folder) == [SHA256]
    answer = browser.get(f"/appconf/packages/{package.pk}/download/")
    assert answer.getvalue() == BODY
    assert answer["Content-Disposition"] == 'attachment; filename="jdk-21.tar.gz"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Checksum-Sha256"] == SHA256
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["package.file", "package.download"]


def test_another_file_than_the_one_that_was_said_is_not_kept(
    client_of: Any, admin: User, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    package = make_package(sha256="0" * 64)
    with django_capture_on_commit_callbacks(execute=True):
        answer = _send(client_of(admin), package)
    assert answer.status_code == 422
    assert SHA256 in str(answer.context["form"].errors)
    package.refresh_from_db()
    assert not package.has_file
    assert _kept(folder) == []
    assert not AuditEntry.objects.filter(verb="package.file").exists()


def test_a_file_that_is_too_large_is_not_kept(
    client_of: Any, admin: User, settings: Any, folder: Path
) -> None:
    settings.PACKAGE_BYTES = 1000
    package = make_package()
    assert _send(client_of(admin), package).status_code == 422
    assert not folder.exists() or _kept(folder) == []
    with pytest.raises(Exception, match="larger"):
        package_store.keep([b"x" * 600, b"x" * 600], 1000)
    assert _kept(folder) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a b\n.tgz", "a_b_.tgz"),
        ("..", "package"),
        ("x" * 300, "x" * 200),
        ("<img>.jar", "_img_.jar"),
    ],
)
def test_a_name_is_a_word_and_never_a_path(name: str, kept: str) -> None:
    assert package_store.plain_name(name) == kept


def test_bytes_go_with_the_last_package_that_has_them(
    client_of: Any, admin: User, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    one, other = make_package("a"), make_package("b")
    browser = client_of(admin)
    for package in (one, other):
        _send(browser, package)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(f"/appconf/packages/{one.pk}/delete/")
    assert _kept(folder) == [SHA256]
    with django_capture_on_commit_callbacks(execute=True):
        assert _send(browser, other, b"newer").status_code == 302
    assert _kept(folder) == [hashlib.sha256(b"newer").hexdigest()]


def test_seeing_a_package_is_not_fetching_or_changing_it(
    client_of: Any, admin: User, folder: Path
) -> None:
    package = make_package()
    _send(client_of(admin), package)
    reader = client_of(make_user(perms=["appconf.view_package"]))
    assert reader.get(f"/appconf/packages/{package.pk}/").status_code == 200
    assert reader.get(f"/appconf/packages/{package.pk}/download/").status_code == 403
    assert _send(reader, package, b"mine").status_code == 403
    fetcher = make_user(
        perms=["appconf.view_package", "appconf.download_package"],
        groups=[make_group()],
    )
    answer = client_of(fetcher).get(f"/appconf/packages/{package.pk}/download/")
    assert answer.getvalue() == BODY
    assert _kept(folder) == [SHA256]


def test_the_digest_of_a_kept_file_is_not_typed_over(
    client_of: Any, admin: User
) -> None:
    package = make_package()
    browser = client_of(admin)
    _send(browser, package)
    answer = browser.patch(
        f"/api/v1/packages/{package.pk}/", {"sha256": "0" * 64}, "application/json"
    )
    assert answer.status_code == 422
    package.refresh_from_db()
    assert package.sha256 == SHA256


def test_a_package_says_where_it_is_installed(
    client_of: Any, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = make_package("redis", "7.2")
    group = make_group("web")
    entered, reported = make_host("entered", groups=[group]), make_host("reported")
    software = Software.objects.create(name="Redis", version="7.2")
    Installation.objects.create(software=software, host=entered)
    monkeypatch.setattr(
        extensions, "installed_on", [lambda user, row: [(reported, "7.0")]]
    )
    address = f"/appconf/packages/{package.pk}/?tab=installed"
    page = client_of(admin).get(address).content.decode()
    assert "entered" in page
    assert "reported" in page
    assert page.count("this version") == 1


def _pieces(browser: Any, package: Package, body: bytes, at: int = 0) -> Any:
    begin = f"/appconf/packages/{package.pk}/pieces/"
    ticket = browser.post(begin).json()["ticket"]
    for start in range(at, len(body), 40_000):
        answer = browser.post(
            f"{begin}{ticket}/?offset={start}",
            body[start : start + 40_000],
            content_type="application/octet-stream",
            headers={"Accept": "application/json"},
        )
        if answer.status_code != 200:
            return answer
    last = {"name": "big.tar", "sha256": hashlib.sha256(body).hexdigest()}
    return browser.post(f"{begin}{ticket}/finish/", last)


def test_a_large_file_comes_in_pieces(
    client_of: Any, admin: User, folder: Path
) -> None:
    package = make_package()
    answer = _pieces(client_of(admin), package, BODY)
    assert answer.json() == {"url": package.get_absolute_url()}
    package.refresh_from_db()
    assert (package.file_name, package.sha256) == ("big.tar", SHA256)
    assert _kept(folder) == [SHA256]


def test_a_piece_that_begins_elsewhere_is_refused(
    client_of: Any, admin: User, settings: Any
) -> None:
    package = make_package()
    browser = client_of(admin)
    answer = _pieces(browser, package, BODY, at=7)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "wrong_offset"
    settings.PACKAGE_BYTES = 50_000
    assert _pieces(browser, package, BODY).status_code == 413
    package.refresh_from_db()
    assert not package.has_file


def test_pieces_of_one_package_do_not_end_as_another(
    client_of: Any, admin: User
) -> None:
    mine, other = make_package("a"), make_package("b")
    browser = client_of(admin)
    ticket = browser.post(f"/appconf/packages/{mine.pk}/pieces/").json()["ticket"]
    for bad in (ticket, "..", "0" * 32):
        answer = browser.post(f"/appconf/packages/{other.pk}/pieces/{bad}/finish/")
        assert answer.status_code == 404
    reader = client_of(make_user(perms=["appconf.view_package"]))
    assert reader.post(f"/appconf/packages/{mine.pk}/pieces/").status_code == 403
