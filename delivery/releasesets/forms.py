"""Inputs of a set of releases: its places in their order, and why it is started."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from appconf.models import Environment
from delivery.models import Pipeline, ReleaseSet, ReleaseSetItem
from delivery.safety.reach import strays_words
from delivery.set_models import SetPlace
from tasks.launching.rows import Column, RowsField, RowsWidget

MOST_PLACES = 50
LONGEST_KEY = 15
KEYS = {"pipeline", "environment", "kind", "ref"}


class PlacesField(RowsField):
    """Rows of pipeline, environment and reference; cleans to places that are not saved yet."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.user: Any = None
        self.widget = self._drawn_by()

    def _drawn_by(self) -> RowsWidget:
        columns = (
            Column(
                "pipeline", gettext_lazy("Pipeline"), "select", choices=self._pipelines
            ),
            Column(
                "environment",
                gettext_lazy("Environment"),
                "select",
                choices=self._environments,
            ),
            Column("kind", gettext_lazy("What"), "select", choices=self._kinds),
            Column("ref", gettext_lazy("Reference"), placeholder="main"),
        )
        return RowsWidget(columns, gettext_lazy("Add a place"))

    def for_user(self, user: Any) -> None:
        """Offer what the user may deliver."""
        self.user = user
        self.widget = self._drawn_by()

    def _pipelines(self) -> Iterable[tuple[str, str]]:
        rows = Pipeline.objects.visible_to(self.user).select_related("project")
        return [("", "-"), *((str(row.pk), str(row)) for row in rows)]

    def _environments(self) -> Iterable[tuple[str, str]]:
        rows = Environment.objects.visible_to(self.user, "deploy").select_related(
            "project"
        )
        return [("", "-"), *((str(row.pk), str(row)) for row in rows)]

    def _kinds(self) -> Iterable[tuple[str, str]]:
        return [(kind.value, str(kind.label)) for kind in SetPlace.REF_KINDS]

    def clean(self, value: Any) -> list[ReleaseSetItem]:
        """Read the places.

        Raises:
            ValidationError: one that cannot be.
        """
        rows = self.to_python(value)
        if not isinstance(rows, list) or len(rows) > MOST_PLACES:
            raise forms.ValidationError(_("Give a list of places."))
        said = [
            row
            for row in rows
            if not (isinstance(row, dict) and not any(map(row.get, KEYS - {"kind"})))
        ]
        return [self._place(row) for row in said]

    def _place(self, row: Any) -> ReleaseSetItem:
        if not isinstance(row, dict) or set(row) - KEYS:
            raise forms.ValidationError(
                _("A place has: %(keys)s.") % {"keys": ", ".join(sorted(KEYS))}
            )
        pipeline = self._found(
            Pipeline.objects.visible_to(self.user), row.get("pipeline")
        )
        mine = Environment.objects.visible_to(self.user, "deploy")
        environment = self._found(mine, row.get("environment"))
        if pipeline is None or environment is None:
            raise forms.ValidationError(
                _("Choose a pipeline and an environment to which you may deploy.")
            )
        if pipeline.project_id != environment.project_id:
            raise forms.ValidationError(
                _("The pipeline and the environment are of two projects.")
            )
        if words := strays_words(pipeline, environment):
            raise forms.ValidationError(words)
        kind, ref = row.get("kind") or "branch", str(row.get("ref") or "").strip()
        if kind not in [one.value for one in SetPlace.REF_KINDS]:
            raise forms.ValidationError(
                _("%(kind)s is no kind of reference.") % {"kind": str(kind)[:40]}
            )
        if (
            len(ref) > 200
            or not ref.isprintable()
            or ref.startswith("-")
            or not (ref or kind == "branch")
        ):
            raise forms.ValidationError(
                _("Say which branch, tag or commit is to be delivered.")
            )
        return ReleaseSetItem(
            pipeline=pipeline, environment=environment, ref_kind=kind, ref=ref
        )

    def _found(self, rows: Any, key: Any) -> Any:
        text = str(key or "")
        if (
            isinstance(key, bool)
            or not text.isascii()
            or not text.isdecimal()
            or len(text) > LONGEST_KEY
        ):
            return None
        return rows.filter(pk=int(text)).first()

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            places = self.clean(data)
        except forms.ValidationError:
            return True
        meant = [
            (one.pipeline_id, one.environment_id, one.ref_kind, one.ref)
            for one in places
        ]
        kept = [
            tuple(one[name] for name in ("pipeline", "environment", "kind", "ref"))
            for one in initial or []
        ]
        return meant != kept


class ReleaseSetForm(ResourceForm):
    """A set of releases."""

    items = PlacesField(
        label=gettext_lazy("What goes where"),
        help_text=gettext_lazy(
            "One after the other, from above. When one fails, those before it are taken back, the last one first."
        ),
    )

    class Meta:
        model = ReleaseSet
        fields = ("name", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["items"]
        field.for_user(self.user)
        if self.instance.pk:
            self.initial["items"] = self.instance.items
            # A program that only changes the name leaves the places as they are.
            field.initial = self.instance.items


class StartForm(forms.Form):
    """Why a set is started."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What it is for: it stands in the history."),
    )


class TakeBackForm(forms.Form):
    """Why a release run that ended is taken back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("What is wrong with it: it stands in the history."),
    )


class StopForm(forms.Form):
    """Why a release run is stopped."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=500
    )
