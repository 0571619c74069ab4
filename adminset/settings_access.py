"""Settings of who comes in and what is refused: sign-in, sessions, tokens, directories, admission, audit, outgoing requests."""

from adminset import env

# ---- Sign-in
SIGN_IN_WINDOW_SECONDS = env.integer("ADMINSET_SIGN_IN_WINDOW_SECONDS", 300, least=10)
SIGN_IN_ATTEMPTS = env.integer("ADMINSET_SIGN_IN_ATTEMPTS", 5, least=1)
SIGN_IN_ADDRESS_ATTEMPTS = env.integer("ADMINSET_SIGN_IN_ADDRESS_ATTEMPTS", 50, least=1)
SIGN_IN_ACCOUNT_ATTEMPTS = env.integer("ADMINSET_SIGN_IN_ACCOUNT_ATTEMPTS", 30, least=1)
# SHA-1 hashes of breached passwords, sorted (accounts/breached.py).
BREACHED_PASSWORDS = env.text("ADMINSET_BREACHED_PASSWORDS")

ADMINS_NEED_SECOND_FACTOR = env.boolean("ADMINSET_ADMINS_NEED_SECOND_FACTOR", False)

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
            "accounts.add_apitoken",
            "accounts.add_grant",
            "accounts.add_groupmapping",
            "accounts.add_role",
            "accounts.add_user",
            "accounts.change_grant",
            "accounts.change_groupmapping",
            "accounts.change_role",
            "accounts.change_user",
            "adminset.add_webhook",
            "adminset.change_portalswitch",
            "adminset.change_webhook",
            "appconf.add_configfile",
            "appconf.add_pulltoken",
            "appconf.approve_configversion",
            "appconf.change_configfile",
            "appconf.deploy_environment",
            "cmdb.add_credential",
            "cmdb.change_credential",
            "cmdb.delete_credential",
            "cmdb.deletefile_host",
            "cmdb.downloadfile_host",
            "cmdb.editfile_host",
            "cmdb.purgefile_host",
            "cmdb.terminal_host",
            "cmdb.uploadfile_host",
            "delivery.add_deploy",
            "delivery.add_deployschedule",
            "delivery.add_followup",
            "delivery.add_githook",
            "delivery.add_pipeline",
            "delivery.add_pipelinetemplate",
            "delivery.add_releaseset",
            "delivery.break_deploylock",
            "delivery.change_deployschedule",
            "delivery.change_followup",
            "delivery.change_githook",
            "delivery.change_pipeline",
            "delivery.change_pipelinetemplate",
            "delivery.change_releaseset",
            "delivery.control_deploy",
            "delivery.decide_deploy",
            "tasks.add_approvalrule",
            "tasks.add_gitsource",
            "tasks.add_inhook",
            "tasks.add_playbook",
            "tasks.add_role",
            "tasks.add_run",
            "tasks.add_schedule",
            "tasks.add_script",
            "tasks.add_storedfile",
            "tasks.add_taskmodule",
            "tasks.add_template",
            "tasks.add_workflow",
            "tasks.add_workflowrun",
            "tasks.approve_playbook",
            "tasks.approve_role",
            "tasks.approve_script",
            "tasks.approve_storedfile",
            "tasks.change_approvalrule",
            "tasks.change_gitsource",
            "tasks.change_guardrule",
            "tasks.change_inhook",
            "tasks.change_playbook",
            "tasks.change_role",
            "tasks.change_schedule",
            "tasks.change_script",
            "tasks.change_storedfile",
            "tasks.change_taskmodule",
            "tasks.change_template",
            "tasks.change_workflow",
            "tasks.control_run",
            "tasks.control_terminalsession",
            "tasks.control_workflowrun",
            "tasks.decide_approval",
            "tasks.delete_approvalrule",
            "tasks.delete_guardrule",
            "tasks.export_terminalsession",
            "tasks.fetch_gitsource",
            "tasks.replay_terminalsession",
            "tasks.use_template",
            "tasks.watch_terminalsession",
        ],
    )
)

# ---- LDAP and Active Directory
LDAP_URLS = env.words("ADMINSET_LDAP_URL", [])
LDAP_START_TLS = env.boolean("ADMINSET_LDAP_START_TLS", False)
LDAP_CA_FILE = env.text("ADMINSET_LDAP_CA_FILE")
LDAP_BIND_DN = env.text("ADMINSET_LDAP_BIND_DN")
LDAP_BIND_PASSWORD = env.text("ADMINSET_LDAP_BIND_PASSWORD")
LDAP_BASE_DN = env.text("ADMINSET_LDAP_BASE_DN")
LDAP_USER_FILTER = env.text("ADMINSET_LDAP_USER_FILTER", "(uid=%(user)s)")
LDAP_USERNAME_ATTRIBUTE = env.text("ADMINSET_LDAP_USERNAME_ATTRIBUTE", "uid")
LDAP_NAME_ATTRIBUTE = env.text("ADMINSET_LDAP_NAME_ATTRIBUTE", "cn")
LDAP_EMAIL_ATTRIBUTE = env.text("ADMINSET_LDAP_EMAIL_ATTRIBUTE", "mail")
LDAP_ID_ATTRIBUTE = env.text("ADMINSET_LDAP_ID_ATTRIBUTE", "entryUUID")
LDAP_GROUP_BASE_DN = env.text("ADMINSET_LDAP_GROUP_BASE_DN")
LDAP_GROUP_FILTER = env.text("ADMINSET_LDAP_GROUP_FILTER", "(member=%(dn)s)")
LDAP_REQUIRE_GROUP = env.text("ADMINSET_LDAP_REQUIRE_GROUP")
LDAP_TIMEOUT_SECONDS = env.integer("ADMINSET_LDAP_TIMEOUT_SECONDS", 5, least=1)

# ---- OpenID Connect
OIDC_ISSUER = env.text("ADMINSET_OIDC_ISSUER").rstrip("/")
OIDC_CLIENT_ID = env.text("ADMINSET_OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("ADMINSET_OIDC_CLIENT_SECRET")
OIDC_SCOPES = env.text("ADMINSET_OIDC_SCOPES", "openid email profile")
OIDC_USERNAME_CLAIM = env.text("ADMINSET_OIDC_USERNAME_CLAIM", "preferred_username")
OIDC_GROUPS_CLAIM = env.text("ADMINSET_OIDC_GROUPS_CLAIM", "groups")
OIDC_REQUIRE_GROUP = env.text("ADMINSET_OIDC_REQUIRE_GROUP")
OIDC_NAME = env.text("ADMINSET_OIDC_NAME", "OpenID Connect")
PASSWORD_SIGN_IN = env.boolean("ADMINSET_PASSWORD_SIGN_IN", True)

# ---- API tokens
TOKEN_DAYS = env.integer("ADMINSET_TOKEN_DAYS", 90, least=1)
TOKEN_MAX_DAYS = env.integer("ADMINSET_TOKEN_MAX_DAYS", 365, least=1)
TOKEN_OVERLAP_HOURS = env.integer("ADMINSET_TOKEN_OVERLAP_HOURS", 24, least=0)
TOKEN_FAILURES = env.integer("ADMINSET_TOKEN_FAILURES", 100, least=1)

# ---- Admission
ALLOWED_NETWORKS = env.networks("ADMINSET_ALLOWED_NETWORKS")
ENROL_NETWORKS = env.networks("ADMINSET_ENROL_NETWORKS")

# ---- Audit trail (docs/audit.md); its keys and the file of its anchors stand in settings.py
AUDIT_ANCHOR_URL = env.text("ADMINSET_AUDIT_ANCHOR_URL")
AUDIT_SYSLOG = env.text("ADMINSET_AUDIT_SYSLOG")

# ---- Outgoing requests
# Private networks that web-hooks and the like may reach; loopback and link-local too only when they stand here.
OUTBOUND_ALLOWED_NETWORKS = env.networks("ADMINSET_OUTBOUND_ALLOWED_NETWORKS")
OUTBOUND_CA_FILE = env.text("ADMINSET_OUTBOUND_CA_FILE")
OUTBOUND_TIMEOUT_SECONDS = env.integer(
    "ADMINSET_OUTBOUND_TIMEOUT_SECONDS", 10, least=1, most=300
)
OUTBOUND_MAX_BYTES = env.integer("ADMINSET_OUTBOUND_MAX_BYTES", 2**20, least=1024)
CERTIFICATE_CHECK_HOURS = env.integer("ADMINSET_CERTIFICATE_CHECK_HOURS", 24, least=1)

# ---- What requests may carry
JSON_MAX_DEPTH = env.integer("ADMINSET_JSON_MAX_DEPTH", 32, least=4)
CSP_REPORTS_PER_MINUTE = env.integer("ADMINSET_CSP_REPORTS_PER_MINUTE", 60, least=0)
