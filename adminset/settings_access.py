"""Settings of who comes in and what is refused: sign-in, sessions, tokens, directories, admission, audit, outgoing requests."""

from adminset import env

# ---- Sign-in
SIGN_IN_WINDOW_SECONDS = env.integer("ADMINSET_SIGN_IN_WINDOW_SECONDS", 300, least=10)
SIGN_IN_ATTEMPTS = env.integer("ADMINSET_SIGN_IN_ATTEMPTS", 5, least=1)

# ---- Sessions and step-up
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = env.integer("ADMINSET_SESSION_SECONDS", 12 * 3600, least=60)
SESSION_IDLE_SECONDS = env.integer("ADMINSET_SESSION_IDLE_SECONDS", 2 * 3600, least=60)
# Acts that ask once more who is there, when the last proof is older than this.
STEP_UP_SECONDS = env.integer("ADMINSET_STEP_UP_SECONDS", 2 * 3600, least=60)
STEP_UP_PERMISSIONS = frozenset(
    env.words(
        "ADMINSET_STEP_UP",
        [
            "accounts.add_grant",
            "accounts.add_groupmapping",
            "accounts.add_role",
            "accounts.add_user",
            "accounts.change_grant",
            "accounts.change_groupmapping",
            "accounts.change_role",
            "accounts.change_user",
            "adminset.change_portalswitch",
            "cmdb.add_credential",
            "cmdb.change_credential",
            "cmdb.delete_credential",
            "cmdb.terminal_host",
            "tasks.add_run",
        ],
    )
)

# ---- LDAP and Active Directory

# ---- OpenID Connect

# ---- API tokens
TOKEN_DAYS = env.integer("ADMINSET_TOKEN_DAYS", 90, least=1)
TOKEN_MAX_DAYS = env.integer("ADMINSET_TOKEN_MAX_DAYS", 365, least=1)
TOKEN_OVERLAP_HOURS = env.integer("ADMINSET_TOKEN_OVERLAP_HOURS", 24, least=0)

# ---- Admission
ALLOWED_NETWORKS = env.words("ADMINSET_ALLOWED_NETWORKS", [])
ENROL_NETWORKS = env.words("ADMINSET_ENROL_NETWORKS", [])

# ---- Audit trail

# ---- Outgoing requests

# ---- What requests may carry
