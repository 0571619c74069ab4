"""Makes applications for tests: plain functions, each with the least that is needed."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import GrantScope, User
from adminset.crypto import digest
from appconf.models import (
    ConfigFile,
    ConfigVersion,
    Dependency,
    Environment,
    Package,
    Project,
    PullToken,
    Variable,
)
from appconf.vouching import vouch
from cmdb.models import Host, HostGroup, ProductLine
from tests.factories import grant

_numbers = itertools.count(1)


def make_line(name: str = "") -> ProductLine:
    """Make a product line."""
    number = next(_numbers)
    return ProductLine.objects.create(
        name=name or f"line {number}", code=name or f"line-{number}"
    )


def make_project(name: str = "", **fields: Any) -> Project:
    """Make a project, in a product line of its own unless one is given."""
    number = next(_numbers)
    fields.setdefault("code", name or f"project-{number}")
    fields.setdefault("deploy_path", f"/srv/{fields['code']}")
    if "product_line" not in fields:
        fields["product_line"] = make_line()
    return Project.objects.create(name=name or f"project {number}", **fields)


def make_environment(
    project: Project | None = None,
    name: str = "",
    *,
    hosts: Iterable[Host] = (),
    groups: Iterable[HostGroup] = (),
    by: User | None = None,
    **fields: Any,
) -> Environment:
    """Make an environment with hosts and groups; `by` put them there, as the form would (None: nobody answers for the groups)."""
    number = next(_numbers)
    name = name or f"env{number}"
    fields.setdefault("code", name)
    made = Environment.objects.create(
        project=project or make_project(), name=name, **fields
    )
    made.hosts.set(hosts)
    made.groups.set(groups)
    if by is not None:
        keys = [{row.pk for row in rows.all()} for rows in (made.hosts, made.groups)]
        vouch(by, made, *keys)
    return made


def make_dependency(project: Project, on: Project | Host) -> Dependency:
    """Make a dependency on another project or on a host."""
    target = "on_project" if isinstance(on, Project) else "on_host"
    return Dependency.objects.create(project=project, **{target: on})


def make_package(name: str = "", version: str = "1.0", **fields: Any) -> Package:
    """Make a package without a file."""
    return Package.objects.create(
        name=name or f"package{next(_numbers)}", version=version, **fields
    )


def grant_on(user: User, perms: Iterable[str], *objects: Any) -> None:
    """Give a user permissions on single objects: product lines, projects, host groups, hosts."""
    made = grant(user, perms)
    made.everything = False
    made.save(update_fields=["everything"])
    for each in objects:
        kind = each._meta.label_lower
        GrantScope.objects.create(grant=made, kind=kind, object_id=each.pk)
    user.__dict__.pop("_permissions", None)


def make_application(host: Host) -> dict[str, int]:
    """Make an application that runs on a host, with one of everything; give their keys by the name of the model."""
    project = make_project()
    environment = make_environment(project, hosts=[host])
    file = ConfigFile.objects.create(project=project, name="app", path="app.conf")
    version = ConfigVersion.objects.create(file=file, number=1, sha256="0" * 64)
    rows = (
        project,
        environment,
        make_dependency(project, host),
        make_package(),
        file,
        version,
        Variable.objects.create(project=project, name="COLOUR", value="blue"),
        PullToken.objects.create(
            project=project,
            environment=environment,
            name="app",
            prefix=f"p{project.pk:011d}",
            token_hash=digest("x"),
            expires_at=timezone.now() + timedelta(days=1),
        ),
    )
    return {str(row._meta.model_name): row.pk for row in rows}
