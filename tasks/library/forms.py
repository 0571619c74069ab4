"""Inputs of the library: items with their content, one file of a role, an upload, a repository."""

import base64
import binascii
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from tasks.library import blobs, contents, script_checks
from tasks.library.contents import Content
from tasks.library.trees import newest_of
from tasks.models import Playbook, Role, Script, StoredFile

COMMON = ("name", "description", "needs_approval", "git_source", "git_path")
NOTE = gettext_lazy("What changed, in a few words.")


def code_box(rows: int = 22) -> forms.Textarea:
    """Make a box for code: every sign as wide as the next, the tab key indents."""
    return forms.Textarea(attrs={"rows": rows, "class": "code", "data-code": ""})


class ItemForm(ResourceForm):
    """What all items of the library have; `new_content` gives what stands in the next version, None for no new one."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=250,
        required=False,
        help_text=NOTE,
    )
    # Number of the version that the author saw: what others saved meanwhile is not written over.
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    # What the page shows besides the common fields.
    content_fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = newest_of(self.instance) if self.instance.pk else None
        self.initial["based_on"] = self.newest.number if self.newest else 0

    @property
    def from_git(self) -> bool:
        """Whether its content is written in a repository, not here."""
        return self.instance.git_source_id is not None

    def fieldsets(self) -> list[dict[str, Any]]:
        """Fields by heading."""
        content = [self[name] for name in (*self.content_fields, "note")]
        first = [name for name in self.fields if name in ("name", "language")]
        names = (*first, "description", "needs_approval")
        sections = [{"title": _("Item"), "fields": [self[name] for name in names]}]
        if self.content_fields:
            sections.append({"title": _("Content"), "fields": content})
        help_text = _(
            "Where one is chosen, the content is read from there, not written here."
        )
        git = [self["git_source"], self["git_path"]]
        sections.append({"title": _("From git"), "fields": git, "help": help_text})
        return sections

    def clean(self) -> dict[str, Any]:
        """Want a path where there is a repository, and the other way round."""
        cleaned = super().clean()
        source, path = cleaned.get("git_source"), cleaned.get("git_path")
        if source and not path and not isinstance(self.instance, Role):
            self.add_error("git_path", _("Name the file in the repository."))
        if path and not source and "git_source" not in self.errors:
            self.add_error("git_source", _("Choose the repository of this path."))
        return cleaned

    def new_content(self) -> Content | None:
        """Give what stands in the next version; None where nothing was sent."""
        return None


class TextItemForm(ItemForm):
    """An item that is one text, in the field `text_name`."""

    text_name: ClassVar[str] = "text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields[self.text_name]
        field.required, field.strip = False, False  # type: ignore[attr-defined]
        field.disabled = self.from_git
        if self.newest is not None:
            self.initial[self.text_name] = self.newest.text
        if self.from_git:
            field.help_text = _("It comes from the git repository: change it there.")

    def clean(self) -> dict[str, Any]:
        """Want a text, unless it comes from a repository."""
        cleaned = super().clean()
        name = self.text_name
        text = contents.with_plain_ends(cleaned.get(name) or "")
        cleaned[name] = text
        if self.from_git or cleaned.get("git_source") or name in self.errors:
            return cleaned
        if not text.strip():
            self.add_error(name, _("Enter its content."))
        else:
            self._check(text)
        return cleaned

    def _check(self, text: str) -> None:
        try:
            contents.check_text(text)
        except ValidationError as error:
            self.add_error(self.text_name, error)

    def new_content(self) -> Content | None:
        """Give the text, unless it comes from a repository."""
        if self.from_git or self.cleaned_data.get("git_source"):
            return None
        return contents.of_text(self.cleaned_data[self.text_name])


class ScriptForm(TextItemForm):
    """A script; what cannot be read is refused, unless its author knows better."""

    text = forms.CharField(label=gettext_lazy("Script"), widget=code_box())
    unchecked = forms.BooleanField(
        label=gettext_lazy("Save although the check complains"),
        required=False,
        help_text=gettext_lazy(
            "For what another Python or shell than the portal's will read."
        ),
    )
    content_fields = ("text", "unchecked")

    class Meta:
        model = Script
        fields = (*COMMON, "language")

    def _check(self, text: str) -> None:
        super()._check(text)
        unchanged = self.newest is not None and self.newest.text == text
        if self.errors or unchanged or self.cleaned_data.get("unchecked"):
            return
        problem = script_checks.problem_of(self.cleaned_data["language"], text)
        if problem:
            self.add_error("text", problem)


class PlaybookForm(TextItemForm):
    """A playbook."""

    text_name = "content"
    content_fields = ("content",)

    class Meta:
        model = Playbook
        fields = (*COMMON, "content")
        widgets: ClassVar[dict[str, forms.Widget]] = {"content": code_box()}


class RoleForm(ItemForm):
    """A role. Machines may send `files` ({"tasks/main.yml": text}); the page has a tree for them."""

    files = forms.JSONField(required=False)  # type: ignore[assignment]

    class Meta:
        model = Role
        fields = COMMON

    def clean_files(self) -> dict[str, str] | None:
        """Take {path: text} only."""
        files = self.cleaned_data["files"]
        if files in (None, ""):
            return None
        if not isinstance(files, dict) or not all(
            isinstance(text, str) for text in files.values()
        ):
            raise ValidationError(_("Send an object: path to text."))
        plain = {path: contents.with_plain_ends(text) for path, text in files.items()}
        contents.check_files(plain)
        return plain

    def clean(self) -> dict[str, Any]:
        """Take files only where they are written here."""
        cleaned = super().clean()
        if cleaned.get("files") and (self.from_git or cleaned.get("git_source")):
            self.add_error("files", _("They come from the git repository."))
        return cleaned

    def new_content(self) -> Content | None:
        """Give the files, where some were sent."""
        files = self.cleaned_data.get("files")
        return contents.of_files(files) if files else None


class RoleAddForm(RoleForm):
    """A new role, with the archive that it may come in."""

    upload = forms.FileField(
        label=gettext_lazy("Archive"),
        required=False,
        help_text=gettext_lazy(
            "A .tar.gz or .zip of the role; files can be added later, too."
        ),
    )
    content_fields = ("upload",)


class StoredFileForm(ItemForm):
    """A file. Machines may send its bytes as base64; the page has an upload for them."""

    base64 = forms.CharField(required=False, strip=False)

    class Meta:
        model = StoredFile
        fields = COMMON

    def clean_base64(self) -> bytes | None:
        """Read the bytes."""
        text = self.cleaned_data["base64"]
        if not text:
            return None
        if self.from_git:
            raise ValidationError(_("It comes from the git repository."))
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError(_("This is no base64.")) from None
        if len(raw) > settings.LIBRARY_FILE_BYTES:
            raise ValidationError(
                _("The file is larger than %(most)s MiB."),
                params={"most": settings.LIBRARY_FILE_BYTES // 2**20},
            )
        return raw

    def new_content(self) -> Content | None:
        """Keep the bytes, where some were sent."""
        raw = self.cleaned_data.get("base64")
        if raw is None or self.cleaned_data.get("git_source"):
            return None
        return contents.of_bytes(*blobs.keep([raw], settings.LIBRARY_FILE_BYTES))


class StoredFileAddForm(StoredFileForm):
    """A new file, with its bytes."""

    upload = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy("It can be sent later, too."),
    )
    content_fields = ("upload",)
