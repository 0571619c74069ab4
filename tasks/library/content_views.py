"""Pages that take content: a new role or file with its bytes, one file of a role, uploads; and a repository is fetched."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.crud.resource import Resource
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import requires
from tasks.library import contents, forms, trees
from tasks.library.archives import role_files
from tasks.library.creating import add_file, add_role
from tasks.library.file_forms import RoleFileForm, UploadForm
from tasks.library.panels import source_context
from tasks.library.repositories import FETCH
from tasks.library.resources import SOURCES
from tasks.library.storing import store_upload
from tasks.library.trees import FileEdit, newest_of, words_of
from tasks.models import Role
from tasks.tasks import enqueue_fetch

Refused = (DomainError, ValidationError)


def add_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Take a new role or file with its archive or bytes."""
    role = resource.model is Role
    form_class: Any = forms.RoleAddForm if role else forms.StoredFileAddForm
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = form_class(*posted, user=request.user)
    if posted and form.is_valid():
        try:
            create = add_role if role else add_file
            saved = create(actor=request.user, form=form)
        except Refused as error:
            form.add_error(None, words_of(error))
        else:
            messages.success(request, _("%(name)s is saved.") % {"name": saved})
            return redirect(f"{saved.get_absolute_url()}?tab=content")
    context = _head(resource, None, _("Add %(name)s") % {"name": resource.verbose_name})
    context |= {"form": form, "fieldsets": form.fieldsets()}
    context["cancel_url"] = resource.url("list")
    return _form(request, form, context)


def upload_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Take an archive or bytes as the next version of a role or file."""
    item = find(resource, request.user, pk, "change")
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*posted)
    if posted and form.is_valid():
        try:
            made = _uploaded(request, item, form)
        except Refused as error:
            form.add_error("upload", words_of(error))
        else:
            return _told(request, item, made)
    title = _("Upload a new version")
    help_text = (
        _(
            "A .tar.gz or .zip of the role: its files take the place of all files there are."
        )
        if isinstance(item, Role)
        else _("The file takes the place of the one there is; versions before stay.")
    )
    fields = [form["upload"], form["note"]]
    context = _head(resource, item, title) | {
        "form": form,
        "fieldsets": [{"title": title, "fields": fields, "help": help_text}],
        "cancel_url": resource.url("detail", pk),
    }
    return _form(request, form, context)


def _uploaded(request: HttpRequest, item: Any, form: UploadForm) -> Any:
    upload, note = form.cleaned_data["upload"], form.cleaned_data["note"]
    if isinstance(item, Role):
        files = role_files(upload.file, upload.size)
        return trees.replace_files(
            actor=request.user, role=item, files=files, note=note
        )
    return store_upload(
        actor=request.user, file=item, chunks=upload.chunks(), note=note
    )


def role_file_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Add a file to a role, or change or rename the one that `?file=` names."""
    role = find(resource, request.user, pk, "change")
    was, files, newest = (
        request.GET.get("file", ""),
        trees.files_now(role),
        newest_of(role),
    )
    if was and was not in files:
        raise Http404(_("There is no such file."))
    start = {
        "path": was,
        "text": files.get(was, ""),
        "based_on": newest.number if newest else 0,
    }
    form = RoleFileForm(
        request.POST if request.method == "POST" else None, initial=start
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        edit = FileEdit(was=was, **values)
        try:
            made = trees.put_file(actor=request.user, role=role, edit=edit)
        except Refused as error:
            form.add_error(None, words_of(error))
        else:
            return _told(request, role, made, values["path"])
    context = _head(resource, role, was or _("Add file"))
    context |= {"form": form, "was": was, "cancel_url": _content_url(role, was)}
    context["fieldsets"] = [
        {
            "title": was or _("Add file"),
            "fields": [form[n] for n in ("path", "text", "note")],
        }
    ]
    return _form(request, form, context, "tasks/library/role_file.html")


@require_http_methods(["GET", "HEAD", "POST"])
def role_file_delete_page(
    request: HttpRequest, resource: Resource, pk: int
) -> HttpResponse:
    """Ask, then delete the file of a role that `?file=` names."""
    role = find(resource, request.user, pk, "change")
    path, newest = request.GET.get("file", ""), newest_of(role)
    if not path:
        raise DomainError(_("The address names no file."))
    if newest is None or path not in newest.files:
        raise Http404(_("There is no such file."))
    problem = ""
    if request.method == "POST":
        based_on = request.POST.get("based_on", "")
        number = int(based_on) if based_on.isdecimal() and len(based_on) < 9 else -1
        note = request.POST.get("note", "") or _("%(path)s deleted") % {"path": path}
        edit = FileEdit(path=path, note=note, based_on=number)
        try:
            made = trees.drop_file(actor=request.user, role=role, edit=edit)
            return _told(request, role, made)
        except Refused as error:
            problem = words_of(error)
    context = _head(resource, role, _("Delete a file")) | {
        "path": path,
        "newest": newest,
        "problem": problem,
        "cancel_url": _content_url(role, path),
    }
    status = 422 if problem else 200
    return render(
        request, "tasks/library/role_file_delete.html", context, status=status
    )


@requires(FETCH, everywhere=True)
@require_POST
def gitsource_fetch(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a repository read by a worker."""
    source = find(SOURCES, request.user, pk)
    enqueue_fetch(actor=request.user, source=source)
    return redirect(f"{source.get_absolute_url()}?tab=items")


@requires("tasks.view_gitsource")
@require_safe
def gitsource_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how the reading stands; asked again and again while it goes on."""
    source = find(SOURCES, request.user, pk)
    context = {"object": source, **source_context(request, source)}
    return render(request, "tasks/library/_source.html", context)


def _told(request: HttpRequest, item: Any, made: Any, path: str = "") -> HttpResponse:
    if made is None:
        messages.info(request, _("Nothing changed, so there is no new version."))
    else:
        messages.success(request, _("%(version)s is saved.") % {"version": made})
    return redirect(_content_url(item, path))


def _content_url(item: Any, path: str) -> str:
    return contents.address(f"{item.get_absolute_url()}", path)


def _head(resource: Resource, item: Any, title: str) -> dict[str, Any]:
    crumbs: list[tuple[Any, str | None]] = [
        (resource.verbose_name_plural, resource.url("list"))
    ]
    if item is not None:
        crumbs.append((str(item), resource.url("detail", item.pk)))
    return {
        "resource": resource,
        "object": item,
        "page_title": title,
        "crumbs": [*crumbs, (title, None)],
    }


def _form(
    request: HttpRequest,
    form: Any,
    context: dict[str, Any],
    template: str = "generic/form.html",
) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, context, status=status)
