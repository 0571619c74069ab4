"""Where a step that failed waits for a person instead of ending the deploy, and how it is begun once more."""

from django.utils.translation import gettext as _

from adminset import audit
from adminset.redaction import clean
from delivery.engine import moves
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.way_models import Way

Kind = DeployStep.Kind
Host = DeployHost.Status
# The others build on these: they are done once more, or the deploy is cancelled.
GROUNDS = (
    Kind.CHECK,
    Kind.FETCH,
    Kind.BUILD,
    Kind.PACK,
    Kind.DISTRIBUTE,
    Kind.COMMAND,
)


# In the options of a step: the rows of hosts on which its command runs once more.
ONLY = "only"


def may_wait(step: DeployStep) -> bool:
    """Whether a person is asked after a step failed, instead of taking all back."""
    deploy = step.deploy
    if deploy.is_rollback or deploy.way["pause_after"] == Way.Pause.NEVER:
        return False
    if step.kind in (Kind.ACTIVATE, Kind.AFTER):
        # Both say that what is live now is not well.
        return True
    # What fails behind the switch is taken back: nobody leaves hosts half done while people sleep.
    return step.kind in GROUNDS and not deploy.hosts.filter(touched=True).exists()


def wait(step: DeployStep, words: str) -> None:
    """Pause a deploy after one of its steps failed, and say what a person may do; the trail and web-hooks tell of it."""
    told = _(
        "%(words)s Resume it to go on without them, retry the stage, or cancel to take back what was switched."
    )
    if step.kind == Kind.AFTER:
        told = _(
            "%(words)s Resume it to go on all the same, retry the stage, or cancel to take back what was switched."
        )
    if step.kind in GROUNDS:
        told = _("%(words)s Nothing was switched. Retry the stage, or cancel.")
    moves.pause(step.deploy, told % {"words": words})
    why = clean(f"{step.words}: {words}")[:500]
    audit.record(moves.ENGINE, "deploy.paused", step.deploy, reason=why)


def failed_ground(deploy: Deploy) -> DeployStep | None:
    """Give the step that failed and on which the others build; None where there is none."""
    rows = deploy.steps.filter(status=DeployStep.Status.FAILED, kind__in=GROUNDS)
    return rows.first() if deploy.is_open and not deploy.ending else None


def begin_again(step: DeployStep, *, what: str = "stage") -> None:
    """Let a step that failed begin once more; hosts that it spoiled are as they were before it.

    Args:
        what: "failed": a command runs only on the hosts that it spoiled; "stage": on all. Other steps leave out by themselves what is done.
    """
    if step.kind in GROUNDS:
        steps = step.deploy.steps
        sent = steps.filter(kind=Kind.DISTRIBUTE, status=DeployStep.Status.OK)
        before = Host.RECEIVED if sent.exists() else Host.WAITING
        spoiled = step.deploy.hosts.filter(status__in=(Host.FAILED, Host.UNREACHABLE))
        if step.kind == Kind.COMMAND:
            _note_hosts(step, list(spoiled.values_list("pk", flat=True)), what)
        spoiled.update(status=before, explanation="")
    moves.again(step)


def _note_hosts(step: DeployStep, spoiled: list[int], what: str) -> None:
    """Write down on which hosts (keys of their rows) a command runs: those that failed last, of a try that never began too."""
    rest = {name: told for name, told in step.options.items() if name != ONLY}
    failed = spoiled or step.options.get(ONLY)
    step.options = rest | {ONLY: failed} if what == "failed" and failed else rest
    step.save(update_fields=["options"])
