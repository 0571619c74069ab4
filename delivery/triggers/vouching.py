"""What starts deploys by itself does so only as its owner left things: what others changed since is delivered in nobody's name.

A trigger keeps a keyed hash of each thing that says what would run: the pipeline's way and its guards, the source, the deploy
path, and variables that steer programs. Values of other variables, commits and hosts are what differs from deploy to deploy;
hosts are vouched for one by one (appconf/vouching.py).
"""

import re
from typing import Any

from django.utils.translation import gettext as _

from accounts.limits import ensure_whole_user
from adminset.errors import Forbidden
from appconf.models import Environment, Project
from appconf.vouching import ensure_may_deploy
from delivery.models import FollowUp, Pipeline
from delivery.planning.looking import variables_of
from delivery.planning.targets import chosen
from delivery.safety.reach import ensure_goes_to
from delivery.trigger_models import Trigger
from delivery.way_models import Way
from tasks.approvals.seals import differences, kept, seal
from tasks.services.vouching import ChangedError

# Variables that make programs load or run something else.
STEERING = re.compile(
    r"PATH|IFS|ENV|BASH_.*|SHELLOPTS|PS4|LD_.*|DYLD_.*|GIT_.*|PYTHON.*|PERL.*|RUBY.*|NODE_.*|NPM_.*|JAVA_.*|_JAVA_.*|JDK_.*"
    r"|MAVEN_.*|GRADLE_.*|GO.*FLAGS|PAGER|EDITOR|.*_COMMAND|PROMPT.*"
)
GUARDS = (
    "project_id",
    "template_id",
    "guarded_kinds",
    "approvals_needed",
    "calendar_id",
    "freezes_id",
    "in_order",
)
SOURCE = ("source_type", "source_address", "source_credential_id")
Row = Trigger


def vouch(row: Row) -> None:
    """Keep what a trigger needs as it is now: its owner has looked at it."""
    row.vouched = kept(pieces_of(row))
    type(row)._default_manager.filter(pk=row.pk).update(vouched=row.vouched)


def ensure_vouched(row: Row) -> None:
    """Let pass a trigger that finds everything as its owner left it.

    Raises:
        ChangedError: somebody changed what it needs; says what.
    """
    changed = differences(row.vouched, pieces_of(row))
    if changed:
        raise ChangedError.of(_words_of(name) for name in changed)


def ensure_whole(actor: Any) -> None:
    """Let pass who speaks with all rights of the user: a trigger delivers with them, even after a token is revoked.

    Raises:
        Forbidden: a token speaks that may do less than its user.
    """
    ensure_whole_user(
        actor,
        _(
            "A token with limits may not make, change or turn on what delivers by itself."
        ),
        _(
            "It delivers with all rights of its user. Do it in the portal, or with a token without limits."
        ),
    )


def owner_of(row: Row) -> Any:
    """Give the user as whom a trigger delivers.

    Raises:
        Forbidden: there is none any more, or the user cannot sign in.
    """
    owner = row.run_as
    if owner is None or not owner.may_sign_in:
        raise Forbidden(
            _("Its owner %(name)s cannot sign in any more.") % {"name": owner or "-"},
            _("Save it as somebody who may."),
            code="owner_gone",
        )
    return owner


def ensure_could_deliver(actor: Any, row: Row) -> None:
    """Let pass who could begin the same deploy by hand.

    Raises:
        Forbidden: says what is missing. Conflict: its pipeline does not go there.
    """
    if not actor.has_perm("delivery.add_deploy"):
        raise Forbidden(_("You may not start deploys."))
    ensure_may_deploy(actor, row.environment)
    ensure_goes_to(row.pipeline, row.environment)


def pieces_of(row: Row) -> dict[str, str]:
    """Hash each thing that a trigger needs, apart from its own fields: those only its owner saves."""
    pipeline = Pipeline.objects.select_related("project", "template").get(
        pk=row.pipeline_id
    )
    environment = Environment.objects.select_related("project").get(
        pk=row.environment_id
    )
    found = {
        "pipeline": seal(
            [
                Way.said(pipeline.way.frozen()),
                *_values(pipeline, GUARDS),
                _roles(pipeline),
            ]
        ),
        "source": seal(_values(pipeline.project, SOURCE)),
        "path": seal([environment.path, environment.project_id, environment.kind]),
        "variables": seal(steering_of(environment)),
    }
    if isinstance(row, FollowUp):
        rows = Project.objects.filter(pipelines=row.after_pipeline_id)
        found["before"] = seal(list(rows.values_list("pk", flat=True)))
    return found


def _values(row: Any, names: tuple[str, ...]) -> list[Any]:
    return [getattr(row, name) for name in names]


def _roles(pipeline: Pipeline) -> list[int]:
    return sorted(pipeline.approve_groups.values_list("pk", flat=True))


def steering_of(environment: Environment) -> list[Any]:
    """Give name and hashes of the variables that steer programs, those of hosts too."""
    found = variables_of(environment, chosen(environment))
    steer = [name for name in found if STEERING.fullmatch(name.upper())]
    return sorted((name, found[name]) for name in steer)


def _words_of(name: str) -> str:
    known = {
        "pipeline": _("the pipeline"),
        "source": _("the project's source"),
        "path": _("the deploy path"),
        "variables": _("a variable that steers programs"),
        "before": _("what goes before it"),
    }
    return str(known.get(name, name))
