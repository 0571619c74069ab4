"""What people and triggers ask of deploys: all verbs of the room by one name; pages, REST and hooks import them from here.

All are keyword-only, take the actor first, are one transaction with one audit line, raise DomainError, and call the engine
after the commit. What may take long happens in workers: none of them waits for a host.

planning/planning.py
    make_plan(*, actor, pipeline, environment, ref_kind="branch", ref="", host_ids=(), kind="deploy", artefact=None) -> Plan
        resolves the reference (git, svn, upload, artefact id), reads what the portal knows to be live, writes nothing.
        Plan: .hash, .rows (PlanRow: host_id, host, batch, from_release, to_release, files, bytes, commands, config),
        .commits, .blast (words), .warnings, .problems, .as_json()
engine/requesting.py
    request_deploy(*, actor, pipeline, environment, ref_kind="branch", ref="", plan_hash, reason="", emergency_reason="",
                   trigger="hand", host_ids=(), artefact=None, wait=True) -> Deploy
        makes the plan once more; Conflict code "plan_changed" where it is not the plan of that hash; Conflict code
        "locked" with who holds the environment where wait is False.
    promote(*, actor, artefact, pipeline, environment, plan_hash, reason="", ...) -> Deploy   the same artefact, elsewhere
engine/rolling_back.py
    request_rollback(*, actor, environment, pipeline, to_artefact=None, hosts=None, reason="", trigger="hand") -> Deploy
        one click: only the switch, to any release that the hosts keep; None: the one before.
engine/controlling.py
    cancel_deploy(*, actor, deploy, reason="") -> None
    pause_deploy(*, actor, deploy), resume_deploy(*, actor, deploy) -> None     also the yes to a `confirm` step
    retry_deploy(*, actor, deploy, what="failed"|"stage", reason="") -> Deploy  the same deploy where it is paused, else a new one
safety/approvals.py
    decide(*, actor, deploy, yes, reason="") -> Deploy
safety/locks.py
    take_lock(*, actor, environment, reason) -> DeployLock; release_lock(*, actor, lock); break_lock(*, actor, lock, reason)
safety/marks.py
    mark_bad(*, actor, artefact, reason), unmark_bad(*, actor, artefact, reason="")
"""
