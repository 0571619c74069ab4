"""Items of the library for tests, each with its versions, and a real git repository."""

import subprocess
from pathlib import Path
from typing import Any

from adminset.audit import SystemActor
from tasks.library import blobs, contents
from tasks.library.contents import Content
from tasks.models import (
    GitSource,
    Playbook,
    Role,
    Script,
    StoredFile,
    Version,
)

PLAYBOOK = "- hosts: all\n  tasks: []\n"
ROLE = {"tasks/main.yml": "- ping:\n", "templates/motd.j2": "hello\n"}
# Nobody has signed in as it: what it wrote, anybody may approve.
MAKER: Any = SystemActor("maker")


def add(item: Any, content: Content, **values: Any) -> Version:
    """Add an approved version to an item, as if somebody had saved it."""
    newest = item.versions.order_by("-number").first()
    shared = {"author_name": "maker", "text": content.text, "files": content.files}
    if isinstance(item, Playbook):
        Playbook.objects.filter(pk=item.pk).update(content=content.text)
        item.content = content.text
    made: Version = item.versions.create(
        number=newest.number + 1 if newest else 1,
        sha256=content.sha256,
        size=content.size,
        **(shared | values),
    )
    return made


def make_script(
    name: str = "a script", text: str = "echo one\n", **fields: Any
) -> Script:
    """Make a script with version 1."""
    script = Script.objects.create(name=name, **fields)
    add(script, contents.of_text(text))
    return script


def make_playbook(
    name: str = "a playbook", text: str = PLAYBOOK, **fields: Any
) -> Playbook:
    """Make a playbook with version 1."""
    playbook = Playbook.objects.create(name=name, content=text, **fields)
    add(playbook, contents.of_text(text))
    return playbook


def make_role(
    name: str = "a_role", files: dict[str, str] | None = None, **fields: Any
) -> Role:
    """Make a role with version 1."""
    role = Role.objects.create(name=name, **fields)
    add(role, contents.of_files(files or ROLE))
    return role


def make_file(
    name: str = "a file", data: bytes = b"one\n", **fields: Any
) -> StoredFile:
    """Make a file with version 1; its bytes lie under settings.LIBRARY_DIR."""
    file = StoredFile.objects.create(name=name, **fields)
    add(file, contents.of_bytes(*blobs.keep([data], 2**20)))
    return file


def make_library(role: int) -> dict[str, int]:
    """Make one of each for the permission matrix.

    Args:
        role: key of the accounts' role: the urls of both kinds of role are called alike.
    """
    script, file = make_script(), StoredFile.objects.create(name="a file")
    add(file, Content("0" * 64, 0))
    make_role(pk=role)
    source = GitSource.objects.create(name="a repository", url="https://git.example/a")
    return {
        "script": script.pk,
        "playbook": make_playbook("p").pk,
        "storedfile": file.pk,
        "version": script.versions.get().pk,
        "gitsource": source.pk,
    }


class Repository:
    """A git repository in a folder, made with the git of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    @property
    def url(self) -> str:
        """Its address, for tests that allow `file`."""
        return f"file://{self.folder}"

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str | bytes], message: str = "change") -> str:
        """Write files, commit them, and give the id of the commit."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = content.encode() if isinstance(content, str) else content
            path.write_bytes(raw)
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")
