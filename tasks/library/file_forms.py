"""Further inputs of the library: one file of a role, an upload, a git repository."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from cmdb.models import Credential
from tasks.library import contents
from tasks.library.forms import NOTE, code_box
from tasks.models import GitSource


class UploadForm(forms.Form):
    """A file that is sent, and a note."""

    upload = forms.FileField(label=gettext_lazy("File"), allow_empty_file=True)
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=250, required=False, help_text=NOTE
    )


class RoleFileForm(forms.Form):
    """One file of a role."""

    path = forms.CharField(
        label=gettext_lazy("Path"),
        max_length=contents.LONGEST_PATH,
        validators=[contents.check_path],
        help_text=gettext_lazy(
            "Such as tasks/main.yml. Another path renames the file."
        ),
    )
    text = forms.CharField(
        label=gettext_lazy("Content"), widget=code_box(), required=False, strip=False
    )
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=250, required=False, help_text=NOTE
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Look whether it can be kept, and is YAML where Ansible reads it as such."""
        cleaned = super().clean() or self.cleaned_data
        text = contents.with_plain_ends(cleaned.get("text") or "")
        cleaned["text"] = text
        if "path" in cleaned:
            try:
                contents.check_file(cleaned["path"], text)
            except ValidationError as error:
                self.add_error("text", error)
        return cleaned


class GitSourceForm(ResourceForm):
    """A repository; of credentials, those that the user may use."""

    class Meta:
        model = GitSource
        fields = ("name", "url", "branch", "credential", "host_key")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "url": forms.TextInput(
                attrs={"autocomplete": "off", "spellcheck": "false"}
            ),
            "host_key": forms.Textarea(attrs={"rows": 3, "class": "code"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["credential"]
        usable = Credential.objects.visible_to(self.user, "use").values("pk")
        held = [self.instance.credential_id] if self.instance.credential_id else []
        allowed = Q(pk__in=usable) | Q(pk__in=held)
        field.queryset = field.queryset.filter(allowed)  # type: ignore[attr-defined]
