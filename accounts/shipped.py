"""Roles that come with the portal, as patterns over permission names; what a room brings later joins by itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ShippedRole:
    """A role by its key: first name and description, and the permissions it is offered."""

    key: str
    description: str
    patterns: tuple[str, ...]


SEE_ASSETS = (
    "cmdb.view_idc",
    "cmdb.view_cabinet",
    "cmdb.view_assetstatus",
    "cmdb.view_host",
    "cmdb.view_hostgroup",
    "cmdb.view_nic",
    "cmdb.view_disk",
    "cmdb.view_subnet",
    "cmdb.view_ipaddress",
)
# Of one's own; to share them is a permission by itself.
BUILD_DASHBOARDS = (
    "monitor.add_dashboard",
    "monitor.change_dashboard",
    "monitor.delete_dashboard",
)
SEE_APPLICATIONS = (
    *SEE_ASSETS,
    "cmdb.view_productline",
    "cmdb.view_contact",
    "appconf.view_*",
    "appconf.deploy_environment",
    "appconf.download_package",
    "tasks.view_run",
    "tasks.view_calendar",
    "monitor.view_*",
)
ROLES = (
    ShippedRole("administrator", "May do everything but make administrators.", ("*",)),
    ShippedRole(
        "operator",
        "Looks after hosts: sees and edits them, runs work on them, watches them.",
        (
            *SEE_ASSETS,
            "cmdb.view_agent",
            "cmdb.view_identityconflict",
            "cmdb.view_credential",
            "cmdb.use_credential",
            "cmdb.add_host",
            "cmdb.change_host",
            "cmdb.run_host",
            "cmdb.terminal_host",
            "cmdb.transfer_host",
            "cmdb.browsefiles_host",
            "cmdb.uploadfile_host",
            "cmdb.downloadfile_host",
            "cmdb.editfile_host",
            "cmdb.deletefile_host",
            "appconf.view_*",
            "appconf.download_package",
            "tasks.view_*",
            "tasks.add_run",
            "tasks.use_*",
            "tasks.add_workflowrun",
            "tasks.cancel_run",
            "tasks.cancel_workflowrun",
            "tasks.control_run",
            "tasks.control_workflowrun",
            "tasks.decide_approval",
            "tasks.together_terminalsession",
            "monitor.view_*",
            "monitor.ask_hostpackages",
            *BUILD_DASHBOARDS,
            "delivery.view_*",
        ),
    ),
    ShippedRole(
        "developer",
        "Looks after the own projects: sees their hosts, runs work on them, watches and ships them.",
        (
            *SEE_ASSETS,
            "cmdb.view_credential",
            "cmdb.use_credential",
            "cmdb.run_host",
            "cmdb.view_productline",
            "appconf.*",
            "tasks.view_*",
            "tasks.add_run",
            "tasks.use_*",
            "tasks.add_workflowrun",
            "tasks.cancel_run",
            "tasks.cancel_workflowrun",
            "tasks.control_run",
            "tasks.control_workflowrun",
            "tasks.decide_approval",
            "monitor.view_*",
            *BUILD_DASHBOARDS,
            # Not what goes past windows and locks.
            "delivery.view_*",
            "delivery.add_*",
            "delivery.change_*",
            "delivery.delete_*",
            "delivery.cancel_deploy",
            "delivery.control_deploy",
            "delivery.decide_deploy",
        ),
    ),
    ShippedRole(
        "deployer",
        "Brings releases to hosts and back, by the pipelines that others set up.",
        (
            *SEE_APPLICATIONS,
            "delivery.view_*",
            "delivery.add_deploy",
            "delivery.cancel_deploy",
            "delivery.control_deploy",
            "delivery.add_deploylock",
        ),
    ),
    ShippedRole(
        "release manager",
        "Answers for releases: sets up pipelines, approves deploys and configuration, decides in emergencies.",
        (
            *SEE_APPLICATIONS,
            "appconf.approve_configversion",
            "appconf.*_package",
            "delivery.*",
        ),
    ),
    ShippedRole("auditor", "Sees everything, changes nothing.", ("*.view_*",)),
    ShippedRole(
        "guest", "Sees hosts and how they feel.", (*SEE_ASSETS, "monitor.view_*")
    ),
    ShippedRole(
        "agent manager",
        "Lets agents in and sends them away.",
        (
            "cmdb.view_host",
            "cmdb.view_hostgroup",
            "cmdb.*_agent",
            "cmdb.view_identityconflict",
            "cmdb.*_enrolmenttoken",
        ),
    ),
    ShippedRole(
        "library keeper",
        "Writes scripts, playbooks, roles and files, fetches git repositories, approves what others wrote.",
        (
            "tasks.view_*",
            "tasks.*_script",
            "tasks.*_playbook",
            "tasks.*_role",
            "tasks.*_storedfile",
            "tasks.*_gitsource",
            "cmdb.view_credential",
            "cmdb.use_credential",
        ),
    ),
)
