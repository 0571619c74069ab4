"""Every write to projects, environments and packages."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import DomainError, Forbidden
from adminset.querysets import may
from appconf import extensions, package_pieces, package_store, vouching
from appconf.config.judging import ensure_may_move
from appconf.models import Environment, Package, Project


def save_environment(*, actor: Actor, form: Any) -> Environment:
    """Save an environment; whoever puts hosts or groups into it answers for them.

    Raises:
        Forbidden: the person may not run work on one of those that come, or not approve files that the path would move.
    """
    with transaction.atomic():
        before = _members(form.instance) if form.instance.pk else (set(), set())
        if form.instance.pk and "config_path" in form.changed_data:
            row = form.instance
            ensure_may_move(form.user, row.project_id, row.pk)
        if form.instance.pk:
            for ensure in extensions.before_environment:
                ensure(form.user, form)
        environment: Environment = crud.save(actor=actor, form=form)  # type: ignore[assignment]
        hosts, groups = _members(environment)
        came = hosts - before[0], groups - before[1]
        vouching.vouch(form.user, environment, *came)
    return environment


def save_project(*, actor: Actor, form: Any) -> Project:
    """Save a project; to another product line it goes with all its environments, and somebody answers for them anew.

    Raises:
        Forbidden: the person may not deploy to its environments before and after, may not run work on one of their hosts,
            or not approve files that the configuration path would move.
    """
    project: Project = form.instance
    creating = project._state.adding
    with transaction.atomic():
        moves = not creating and "product_line" in form.changed_data
        if not creating and "config_path" in form.changed_data:
            ensure_may_move(form.user, project.pk)
        if moves:
            vouching.ensure_may_deploy_all(form.user, project)
        saved: Project = crud.save(actor=actor, form=form)  # type: ignore[assignment]
        if moves:
            vouching.ensure_may_deploy_all(form.user, saved)
            for environment in saved.environments.all():
                vouching.vouch(form.user, environment, *_members(environment))
    return saved


def _members(environment: Environment) -> tuple[set[int], set[int]]:
    hosts = environment.hosts.order_by().values_list("pk", flat=True)
    return set(hosts), set(environment.groups.order_by().values_list("pk", flat=True))


def store_package_file(
    *, actor: Any, package: Package, name: str, chunks: Iterable[bytes], sha256: str
) -> Package:
    """Keep a file as that of a package; its SHA-256 is counted while it is written.

    Args:
        name: what the sender calls it; the last part of it is kept as a word, never as a path.
        sha256: what the sender says it is; "" where nothing is said.

    Raises:
        Forbidden: the actor may not change the package.
        DomainError: it is too large, or not the file that was said.
    """
    _ensure_change(actor, package)
    kept = package_store.keep(chunks, settings.PACKAGE_BYTES)
    return _with_file(actor, package, name, (*kept, sha256))


def store_package_pieces(
    *, actor: Any, package: Package, name: str, ticket: str, sha256: str
) -> Package:
    """Keep what came in pieces as the file of a package; as store_package_file."""
    _ensure_change(actor, package)
    kept = package_pieces.finish(package, ticket)
    return _with_file(actor, package, name, (*kept, sha256))


def _ensure_change(actor: Any, package: Package) -> None:
    if not may(actor, "change", package):
        raise Forbidden(_("You may not change this package."), code="forbidden")


def _with_file(
    actor: Actor, package: Package, name: str, file: tuple[str, int, str]
) -> Package:
    try:
        return _take_file(actor, package, package_store.plain_name(name), file)
    except DomainError:
        package_store.forget_later([file[0]])
        raise


def _take_file(
    actor: Actor, package: Package, name: str, file: tuple[str, int, str]
) -> Package:
    found, size, said = file
    with transaction.atomic():
        row = Package.objects.select_for_update().get(pk=package.pk)
        expected = said or ("" if row.has_file else row.sha256)
        if expected and expected != found:
            raise DomainError(
                _("This is another file: its SHA-256 is %(sha256)s.")
                % {"sha256": found},
                _("Send the file again, or enter the SHA-256 of the right one."),
                code="wrong_sha256",
            )
        before = audit.snapshot(row)
        gone = {row.sha256} if row.has_file else set()
        row.file_name, row.sha256, row.size = name, found, size
        row.save(update_fields=["file_name", "sha256", "size", "updated_at"])
        changes = audit.changed(before, audit.snapshot(row))
        audit.record(actor, "package.file", row, changes=changes)
        package_store.forget_later(gone - {found})
    return row


def delete_package(*, actor: Actor, instance: Package) -> None:
    """Delete a package, and its bytes where no other package has the same."""
    with transaction.atomic():
        sha256 = instance.sha256 if instance.has_file else ""
        crud.delete(actor=actor, instance=instance)
        if sha256:
            package_store.forget_later([sha256])
