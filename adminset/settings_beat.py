"""Settings of what the portal does by itself: the entries that beat calls."""

DAILY = {"schedule": 24 * 3600, "options": {"expires": 3600}}
CELERY_BEAT_SCHEDULE = {
    "adminset.seal_audit": {
        "task": "adminset.seal_audit",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "adminset.forward_audit": {
        "task": "adminset.forward_audit",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Looks whether a day has gone by, so that a receiver that was away gets its anchor later.
    "adminset.anchor_audit": {
        "task": "adminset.anchor_audit",
        "schedule": 600,
        "options": {"expires": 600},
    },
    "adminset.send_webhooks": {
        "task": "adminset.send_webhooks",
        "schedule": 10,
        "options": {"expires": 10},
    },
    "adminset.rebuild_search": {
        "task": "adminset.rebuild_search",
        "schedule": 24 * 3600,
        "options": {"expires": 24 * 3600},
    },
    "adminset.purge_imports": {"task": "adminset.purge_imports", **DAILY},
    "monitor.purge_flips": {"task": "monitor.purge_flips", **DAILY},
    "monitor.sweep_departed": {"task": "monitor.sweep_departed", **DAILY},
    # Looks for what is due; each certificate is fetched every ADMINSET_CERTIFICATE_CHECK_HOURS.
    "cmdb.check_certificates": {
        "task": "cmdb.check_certificates",
        "schedule": 300,
        "options": {"expires": 300},
    },
    "tasks.reap_runs": {
        "task": "tasks.reap_runs",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Which sites have workers, what their workers sent, and work that nobody there does.
    "tasks.look_at_sites": {
        "task": "tasks.look_at_sites",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Moves on workflows that nobody was called for, lets approvals expire.
    "tasks.sweep_workflows": {
        "task": "tasks.sweep_workflows",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Finds the schedules whose time has come: the times are in our own rows, beat is only the clock.
    "tasks.tick_schedules": {
        "task": "tasks.tick_schedules",
        "schedule": 5,
        "options": {"expires": 5},
    },
    "tasks.clear_runs": {"task": "tasks.clear_runs", **DAILY},
    # Recordings of terminals: of processes that died, and old ones.
    "tasks.seal_recordings": {
        "task": "tasks.seal_recordings",
        "schedule": 30,
        "options": {"expires": 30},
    },
    "tasks.clear_recordings": {"task": "tasks.clear_recordings", **DAILY},
    "tasks.clear_terminal_sessions": {"task": "tasks.clear_terminal_sessions", **DAILY},
    "tasks.clear_workflows": {"task": "tasks.clear_workflows", **DAILY},
    "tasks.clear_hooks": {"task": "tasks.clear_hooks", **DAILY},
    # Calls the workers where checks are due, and finds heartbeats that did not come.
    "monitor.start_checks": {
        "task": "monitor.start_checks",
        "schedule": 5,
        "options": {"expires": 5},
    },
    "monitor.roll_up": {
        "task": "monitor.roll_up",
        "schedule": 60,
        "options": {"expires": 60},
    },
    # Moves on deploys that nobody was called for; reads back what is live on hosts.
    "delivery.sweep_deploys": {
        "task": "delivery.sweep_deploys",
        "schedule": 10,
        "options": {"expires": 10},
    },
    # Planned deploys, wishes, follow-ups and sets.
    "delivery.tick": {
        "task": "delivery.tick",
        "schedule": 10,
        "options": {"expires": 10},
    },
    "delivery.read_live": {
        "task": "delivery.read_live",
        "schedule": 60,
        "options": {"expires": 60},
    },
    "delivery.tidy": {"task": "delivery.tidy", **DAILY},
    # Files of configuration on hosts whose time to be compared has come.
    "delivery.read_configs": {
        "task": "delivery.read_configs",
        "schedule": 60,
        "options": {"expires": 60},
    },
}
