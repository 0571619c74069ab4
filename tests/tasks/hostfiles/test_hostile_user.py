"""With root's credential among the files of a local user who wants to be root: what root does is not led elsewhere."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks.hostfiles import acts, placing, removal, texts
from tasks.ssh.sftp import Sftp
from tests.farm import throw_away_user
from tests.tasks.hostfiles.things import FilesPage, refusal, sha_of, told

# Where they leave things on the way is one folder for all of them.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("hostile-user")]


@pytest.fixture(scope="module")
def bob() -> Iterator[str]:
    """A local user without any right."""
    with throw_away_user(f"adminset-bob-{os.getpid()}") as (name, _password):
        yield name


@pytest.fixture
def home(bob: str) -> Path:
    return Path(f"~{bob}").expanduser()


@pytest.fixture
def roots(folder: Path) -> Path:
    """A file of root's."""
    made = folder / "roots"
    made.write_text("root's own")
    made.chmod(0o600)
    return made


@pytest.fixture
def as_bob(bob: str, home: Path) -> Callable[..., int]:
    """Run a command as bob in his home; gives its exit code."""

    def run(*command: str | Path) -> int:
        done = subprocess.run(command, user=bob, cwd=home, capture_output=True)
        return done.returncode

    return run


@pytest.fixture
def conf(home: Path, as_bob: Callable[..., int]) -> Path:
    """A file of bob's own, which an administrator changes."""
    made = home / "app.conf"
    made.unlink(missing_ok=True)
    assert as_bob("sh", "-c", "echo old > app.conf; chmod 640 app.conf") == 0
    return made


def edit(page: FilesPage, file: Path, text: str) -> Any:
    base, compared = sha_of(file.read_bytes()), sha_of(text.encode())
    sent = {"content": text, "step": "save", "base": base, "compared": compared}
    return page.client.post(page.url("host_files_edit", file), sent)


def test_what_root_puts_down_on_its_way_is_out_of_his_reach(
    page: FilesPage,
    conf: Path,
    home: Path,
    as_bob: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    verify, before = placing.verify, set(home.parent.glob(".adminset-*"))

    def meanwhile(*given: Any, **named: Any) -> None:
        assert list(home.glob(".adminset-*")) == []
        (stage,) = set(home.parent.glob(".adminset-[0-9a-f]*")) - before
        tried.append(as_bob("mv", stage, home / "mine"))
        tried.append(as_bob("ls", stage))
        verify(*given, **named)

    monkeypatch.setattr(placing, "verify", meanwhile)
    assert edit(page, conf, "new\n").status_code == 302
    assert page.upload(conf, b"newer\n", replace=True).status_code == 200
    assert len(tried) == 4
    assert all(tried)
    assert conf.read_text() == "newer\n"
    found = conf.stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (home.stat().st_uid, 0o640)
    assert set(home.parent.glob(".adminset-*")) == before


def test_owner_and_mode_are_set_on_the_file_that_was_written(
    page: FilesPage, conf: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(_files: object, staged: bytes, **_named: Any) -> None:
        # As who could exchange it would do.
        part = Path(os.fsdecode(staged))
        part.unlink()
        part.symlink_to(roots)

    monkeypatch.setattr(placing, "verify", meanwhile)
    edit(page, conf, "new\n")
    page.upload(conf.with_name("other"), b"x")
    assert roots.stat().st_uid == 0
    assert stat.S_IMODE(roots.stat().st_mode) == 0o600
    assert roots.read_text() == "root's own"
    for left in (conf, conf.with_name("other")):
        left.unlink()


def test_below_a_folder_that_he_could_exchange_root_changes_nothing(
    page: FilesPage, home: Path, as_bob: Callable[..., int]
) -> None:
    assert as_bob("sh", "-c", "mkdir -p sub; echo old > sub/app.conf") == 0
    file = home / "sub" / "app.conf"
    begun = page.begin(home / "sub" / "new", b"x")
    answers = [
        begun,
        page.begin(file, b"x", replace=True),
        page.call("host_files_folder", home / "sub" / "folder"),
        page.call("host_files_rename", file, to=home / "app"),
        page.call("host_files_mode", file, mode="0777"),
        page.call("host_files_waste", file),
    ]
    assert {refusal(answer) for answer in answers} == {"loose_ground"}
    assert str(home / "sub") in begun.json()["error"]["message"]
    assert edit(page, file, "new\n").status_code == 422
    assert file.read_text() == "old\n"
    assert [path.name for path in (home / "sub").iterdir()] == ["app.conf"]
    for act in ("upload_begin", "edit", "make_folder", "rename", "mode", "delete"):
        assert told(act) == []


def test_where_the_users_are_trusted_root_changes_what_is_below_their_folders(
    page: FilesPage, home: Path, as_bob: Callable[..., int], settings: Any
) -> None:
    settings.FILES_ROOT_ANYWHERE = True
    assert as_bob("sh", "-c", "mkdir -p trusted; echo old > trusted/app.conf") == 0
    file = home / "trusted" / "app.conf"
    assert edit(page, file, "new\n").status_code == 302
    assert file.read_text() == "new\n"
    assert file.owner() == home.owner()
    assert len(told("edit")) == 1


def test_what_a_link_leads_to_is_not_read_as_his_file(
    page: FilesPage,
    conf: Path,
    roots: Path,
    as_bob: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check_file = texts.check_file

    def swapped(*given: Any) -> None:
        check_file(*given)
        assert as_bob("ln", "-sf", roots, conf) == 0

    monkeypatch.setattr(texts, "check_file", swapped)
    answer = page.get("host_files_view", conf)
    assert answer.status_code == 409
    assert "own" not in answer.content.decode().split("<main", 1)[-1]
    assert told("view") == []
    conf.unlink()


@pytest.mark.parametrize("knows_links", [True, False])
def test_a_mode_is_not_given_to_what_a_link_leads_to(
    page: FilesPage,
    conf: Path,
    roots: Path,
    as_bob: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    knows_links: bool,
) -> None:
    real: dict[str, Callable[..., Any]] = {
        "change_itself": Sftp.change_itself,
        "open_found": acts.open_found,
    }

    def swapped(name: str) -> Callable[..., Any]:
        def act(*given: Any) -> Any:
            assert as_bob("ln", "-sf", roots, conf) == 0
            return real[name](*given)

        return act

    monkeypatch.setattr(Sftp, "changes_links", knows_links)
    monkeypatch.setattr(Sftp, "change_itself", swapped("change_itself"))
    monkeypatch.setattr(acts, "open_found", swapped("open_found"))
    answer = page.call("host_files_mode", conf, mode="0666")
    assert answer.status_code >= 400
    assert conf.is_symlink()
    assert stat.S_IMODE(roots.stat().st_mode) == 0o600
    assert told("mode") == []
    conf.unlink()


def test_a_folder_that_is_exchanged_while_it_is_purged_leads_nowhere(
    page: FilesPage,
    home: Path,
    bob: str,
    roots: Path,
    as_bob: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert as_bob("sh", "-c", "mkdir -p tree/inner; touch tree/inner/file") == 0
    swap = f"read go; mv inner was; ln -s '{roots.parent}' inner; echo done"
    # He stands in the folder, so he stays in it wherever it is moved.
    stands = subprocess.Popen(
        ["sh", "-c", swap],
        user=bob,
        cwd=home / "tree",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    lies = page.call("host_files_waste", home / "tree").json()["waste"]
    named, said = removal._named, []

    def meanwhile(*given: Any) -> Any:
        found = named(*given)
        if not said:
            said.append(stands.communicate(b"go\n")[0])
        return found

    monkeypatch.setattr(removal, "_named", meanwhile)
    page.call("host_files_purge", Path(lies))
    assert said == [b"done\n"]
    assert roots.read_text() == "root's own"
    waste = Path(lies).parent
    again = page.call("host_files_purge", waste)
    assert again.status_code == 200, again.content
    assert not waste.exists()
    assert roots.read_text() == "root's own"
