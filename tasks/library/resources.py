"""The pages and REST endpoints of the library: one declaration for each kind of item, one for all versions, one for repositories."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from adminset.crud.resource import VERBS, Action, Resource
from tasks.library import filters, forms, panels, tables
from tasks.library.file_forms import GitSourceForm
from tasks.library.filters import with_newest
from tasks.library.items import delete_item, save_item
from tasks.library.repositories import FETCH, save_source
from tasks.models import GitSource, Playbook, Role, Script, StoredFile, Version

TABS = (
    "tasks:script_list",
    "tasks:playbook_list",
    "tasks:role_list",
    "tasks:storedfile_list",
    "tasks:version_list",
    "tasks:gitsource_list",
)
OVERVIEW = ("description", "needs_approval", "git_source", "git_path")
API = (*forms.COMMON, "version_number", "version_state")


class VersionForm(ResourceForm):
    """Names the fields of a version: it is never written by a form."""

    class Meta:
        model = Version
        fields = ("note",)


def _item(**values: Any) -> Resource:
    """Declare one kind of item."""
    shared: dict[str, Any] = {
        "search": ("name", "description"),
        "tabs": TABS,
        "detail_fields": OVERVIEW,
        "panels": panels.ITEM_PANELS,
        "api_fields": API,
        "api_counts": {"version_number": "version_number"},
        "api_texts": ("version_state",),
        "list_queryset": lambda rows: with_newest(rows).select_related("git_source"),
        "save": save_item,
        "delete": delete_item,
    }
    return Resource(**(shared | values))


def _is_ours(item: Any) -> bool:
    """Whether its content is written here, not in a repository."""
    return item.git_source_id is None


def _run(url_name: str) -> Action:
    return Action(_("Run"), url_name, "play", "tasks.add_run")


SCRIPTS = _item(
    model=Script,
    table=tables.ScriptTable,
    filterset=filters.ScriptFilter,
    form=forms.ScriptForm,
    path="scripts",
    icon="file-code",
    detail_fields=("language", *OVERVIEW),
    api_fields=("language", *API),
    import_fields=(*forms.COMMON, "language", "text", "note"),
    actions=(_run("tasks:script_run"),),
    verbs=VERBS - {"revert"},
)
PLAYBOOKS = _item(
    model=Playbook,
    table=tables.PlaybookTable,
    filterset=filters.PlaybookFilter,
    form=forms.PlaybookForm,
    path="playbooks",
    icon="book",
    api_fields=("content", *API),
    import_fields=(*forms.COMMON, "content", "note"),
    actions=(_run("tasks:playbook_run"),),
)
ROLES = _item(
    model=Role,
    table=tables.RoleTable,
    filterset=filters.RoleFilter,
    form=forms.RoleForm,
    path="ansible-roles",
    api_name="AnsibleRole",
    icon="folder-tree",
    actions=(
        Action(
            _("Add file"), "tasks:role_file", "plus", "tasks.change_role", when=_is_ours
        ),
        Action(
            _("Upload"),
            "tasks:role_upload",
            "upload",
            "tasks.change_role",
            when=_is_ours,
        ),
        _run("tasks:role_run"),
    ),
    verbs=VERBS - {"revert", "import"},
)
FILES = _item(
    model=StoredFile,
    table=tables.StoredFileTable,
    filterset=filters.StoredFileFilter,
    form=forms.StoredFileForm,
    path="files",
    icon="file-lines",
    actions=(
        Action(
            _("Upload"),
            "tasks:storedfile_upload",
            "upload",
            "tasks.change_storedfile",
            when=_is_ours,
        ),
        _run("tasks:storedfile_run"),
    ),
    verbs=VERBS - {"revert", "import"},
)
VERSIONS = Resource(
    model=Version,
    table=tables.VersionTable,
    filterset=filters.VersionFilter,
    form=VersionForm,
    path="versions",
    icon="code-branch",
    search=("note", "author_name", "commit", "sha256"),
    tabs=TABS,
    panels=panels.VERSION_PANELS,
    detail_fields=(
        "item",
        "number",
        "state",
        "author_name",
        "judged_by_name",
        "note",
        "commit",
        "commit_by",
        "sha256",
        "size",
    ),
    wide_fields=("text", "files"),
    api_fields=(
        *Version.ITEMS,
        "number",
        "state",
        "author_name",
        "judged_by_name",
        "note",
        "commit",
        "commit_people",
        "sha256",
        "size",
        "text",
        "files",
    ),
    list_queryset=lambda rows: rows.select_related(*Version.ITEMS),
    verbs=frozenset(),
)
SOURCES = Resource(
    model=GitSource,
    table=tables.GitSourceTable,
    form=GitSourceForm,
    path="git-repositories",
    icon="code-branch",
    search=("name", "url"),
    tabs=TABS,
    panels=panels.SOURCE_PANELS,
    actions=(
        Action(
            _("Fetch"),
            "tasks:gitsource_fetch",
            "rotate",
            FETCH,
            post=True,
            everywhere=True,
        ),
    ),
    detail_fields=(
        "url",
        "branch",
        "credential",
        "state",
        "message",
        "commit",
        "fetched_at",
        "host_key",
    ),
    api_fields=(
        "name",
        "url",
        "branch",
        "credential",
        "host_key",
        "state",
        "message",
        "commit",
        "fetched_at",
    ),
    list_queryset=lambda rows: rows.select_related("credential"),
    save=save_source,
)
