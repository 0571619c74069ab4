"""The menu as data: names of urls, permissions and icons, never an import of a room."""

from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from adminset import maintenance
from adminset.http import SIGNED_IN
from adminset.menu_applications import (
    APPLICATIONS,
    APPLICATIONS_BESIDE,
    APPROVALS,
    DELIVERY,
)


@dataclass(frozen=True)
class Entry:
    """One line of the menu.

    Attributes:
        also: further urls that belong to it (their app and model prefix).
        everywhere: a grant on some objects does not open it.
        instead: further permissions, each of which opens it too.
        beside: its page belongs to another line, and that one is marked there.
    """

    title: Any
    url_name: str
    icon: str
    permission: str
    also: tuple[str, ...] = ()
    everywhere: bool = False
    instead: tuple[str, ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class Section:
    """One heading of the menu, in the order of the seeds."""

    title: Any
    icon: str
    entries: tuple[Entry, ...]


MENU = (
    Section(
        _("Assets"),
        "server",
        (
            Entry(
                _("Dashboard"),
                "cmdb:dashboard",
                "chart-pie",
                "cmdb.view_host",
            ),
            Entry(
                _("Data quality"), "cmdb:quality", "clipboard-check", "cmdb.view_host"
            ),
            Entry(_("Hosts"), "cmdb:host_list", "server", "cmdb.view_host"),
            Entry(
                _("Host groups"),
                "cmdb:hostgroup_list",
                "layer-group",
                "cmdb.view_hostgroup",
            ),
            Entry(_("IDCs"), "cmdb:idc_list", "building", "cmdb.view_idc"),
            Entry(
                _("Cabinets"), "cmdb:cabinet_list", "table-cells", "cmdb.view_cabinet"
            ),
            Entry(
                _("Asset statuses"),
                "cmdb:assetstatus_list",
                "tag",
                "cmdb.view_assetstatus",
            ),
            Entry(
                _("Kinds of relations"),
                "cmdb:relationkind_list",
                "diagram-project",
                "cmdb.view_relationkind",
            ),
            Entry(
                _("Product lines"),
                "cmdb:productline_list",
                "boxes-stacked",
                "cmdb.view_productline",
                (
                    "cmdb:region",
                    "cmdb:branch",
                    "cmdb:tag",
                    "cmdb:customfield",
                ),
            ),
            Entry(
                _("Clusters"),
                "cmdb:cluster_list",
                "circle-nodes",
                "cmdb.view_cluster",
            ),
            Entry(
                _("Suppliers"),
                "cmdb:supplier_list",
                "truck-field",
                "cmdb.view_supplier",
            ),
            Entry(
                _("Parts"),
                "cmdb:nic_list",
                "ethernet",
                "cmdb.view_nic",
                ("cmdb:disk",),
            ),
            Entry(
                _("Networks"),
                "cmdb:subnet_list",
                "network-wired",
                "cmdb.view_subnet",
                ("cmdb:ipaddress", "cmdb:bandwidthline"),
            ),
            Entry(
                _("Domains"),
                "cmdb:domainname_list",
                "globe",
                "cmdb.view_domainname",
                (
                    "cmdb:dnszone",
                    "cmdb:dnsrecord",
                    "cmdb:cdndomain",
                    "cmdb:certificate",
                ),
            ),
            Entry(_("Agents"), "cmdb:agent_list", "satellite-dish", "cmdb.view_agent"),
            Entry(
                _("Enrolment tokens"),
                "cmdb:enrolmenttoken_list",
                "ticket",
                "cmdb.view_enrolmenttoken",
            ),
            Entry(
                _("Identity conflicts"),
                "cmdb:identityconflict_list",
                "code-branch",
                "cmdb.view_identityconflict",
            ),
        ),
    ),
    Section(
        _("Money and software"),
        "coins",
        (
            Entry(
                _("What expires"),
                "cmdb:expiry",
                "hourglass-half",
                "cmdb.view_expiry",
                ("cmdb:expiry",),
            ),
            Entry(
                _("Contracts"),
                "cmdb:contract_list",
                "file-signature",
                "cmdb.view_contract",
            ),
            Entry(
                _("Purchases"),
                "cmdb:purchase_list",
                "cart-shopping",
                "cmdb.view_purchase",
            ),
            Entry(_("Budgets"), "cmdb:budget_list", "piggy-bank", "cmdb.view_budget"),
            Entry(_("Costs"), "cmdb:cost_list", "money-bill-wave", "cmdb.view_cost"),
            Entry(
                _("Cost report"), "cmdb:cost_report", "chart-column", "cmdb.view_cost"
            ),
            Entry(
                _("Software"),
                "cmdb:software_list",
                "compact-disc",
                "cmdb.view_software",
            ),
            Entry(
                _("Installations"),
                "cmdb:installation_list",
                "download",
                "cmdb.view_installation",
            ),
            Entry(_("Licences"), "cmdb:licence_list", "id-card", "cmdb.view_licence"),
        ),
    ),
    Section(
        _("Applications"),
        "cubes",
        (
            *(replace(Entry(*line), beside=True) for line in APPLICATIONS_BESIDE),
            *(Entry(*line) for line in APPLICATIONS),
        ),
    ),
    Section(_("Delivery"), "rocket", tuple(Entry(*line) for line in DELIVERY)),
    Section(
        _("Task orchestration"),
        "list-check",
        (
            Entry(_("Run something"), "tasks:run_add", "play", "tasks.add_run"),
            Entry(
                _("Task modules"),
                "tasks:taskmodule_gallery",
                "puzzle-piece",
                "tasks.view_taskmodule",
                ("tasks:taskmodule",),
            ),
            Entry(_("Runs"), "tasks:run_list", "terminal", "tasks.view_run"),
            Entry(
                _("Templates"), "tasks:template_list", "clone", "tasks.view_template"
            ),
            Entry(
                _("Library"),
                "tasks:script_list",
                "book",
                "tasks.view_script",
                (
                    "tasks:playbook",
                    "tasks:role",
                    "tasks:storedfile",
                    "tasks:version",
                    "tasks:gitsource",
                ),
            ),
            Entry(
                _("Schedules"),
                "tasks:schedule_list",
                "calendar-days",
                "tasks.view_schedule",
            ),
            Entry(
                _("Workflows"),
                "tasks:workflow_list",
                "diagram-project",
                "tasks.view_workflow",
                ("tasks:workflowrun", "tasks:workflowstep"),
            ),
            Entry(*APPROVALS),
            Entry(
                _("Terminals"),
                "tasks:terminalsession_list",
                "display",
                "tasks.view_terminalsession",
                ("tasks:terminal", "tasks:guardrule", "tasks:guard"),
                instead=("cmdb.terminal_host",),
            ),
            Entry(_("Sites"), "tasks:site_list", "tower-broadcast", "tasks.view_site"),
            Entry(
                _("Web-hooks in"),
                "tasks:inhook_list",
                "right-to-bracket",
                "tasks.view_inhook",
            ),
            Entry(
                _("Calendars"),
                "tasks:calendar_list",
                "calendar-xmark",
                "tasks.view_calendar",
            ),
        ),
    ),
    Section(
        _("Monitoring"),
        "chart-line",
        (
            Entry(
                _("Fleet"),
                "monitor:fleet",
                "gauge-high",
                "monitor.view_metrics",
                ("monitor:host", "monitor:hostgroup", "monitor:compare"),
            ),
            Entry(
                _("Dashboards"),
                "monitor:dashboard_list",
                "table-columns",
                "monitor.view_dashboard",
            ),
            Entry(
                _("Service checks"),
                "monitor:servicecheck_list",
                "stethoscope",
                "monitor.view_servicecheck",
            ),
            Entry(
                _("Heartbeats"),
                "monitor:heartbeat_list",
                "heart-pulse",
                "monitor.view_heartbeat",
            ),
            Entry(
                _("Status pages"),
                "monitor:statuspage_list",
                "traffic-light",
                "monitor.view_statuspage",
                ("monitor:statusitem", "monitor:statusnote"),
            ),
            Entry(
                _("Collection policies"),
                "monitor:collectionpolicy_list",
                "stopwatch",
                "monitor.view_collectionpolicy",
            ),
            Entry(
                _("Packages"),
                "monitor:packages",
                "cubes",
                "cmdb.view_host",
            ),
            Entry(
                _("Coverage"),
                "monitor:coverage",
                "umbrella",
                "monitor.view_metrics",
            ),
        ),
    ),
    Section(
        _("Users"),
        "users",
        (
            Entry(_("Users"), "accounts:user_list", "user", "accounts.view_user"),
            Entry(
                _("Roles"), "accounts:role_list", "user-shield", "accounts.view_role"
            ),
            Entry(
                _("Grants"), "accounts:grant_list", "user-check", "accounts.view_grant"
            ),
            Entry(
                _("Group mappings"),
                "accounts:groupmapping_list",
                "people-arrows",
                "accounts.view_groupmapping",
            ),
            Entry(
                _("Why may or may not"),
                "accounts:explain",
                "circle-question",
                SIGNED_IN,
            ),
            Entry(
                _("API tokens"),
                "accounts:apitoken_list",
                "ticket",
                "accounts.view_apitoken",
            ),
            Entry(
                _("Sessions"),
                "accounts:portalsession_list",
                "display",
                "accounts.view_portalsession",
            ),
        ),
    ),
    Section(
        _("System"),
        "gear",
        (
            Entry(
                _("Audit trail"),
                "accounts:audit_list",
                "clock-rotate-left",
                "adminset.view_auditentry",
            ),
            Entry(
                _("Sign-ins"),
                "accounts:sign_in_list",
                "arrow-right-to-bracket",
                "adminset.view_auditentry",
            ),
            Entry(
                _("Web-hooks"),
                "adminset:webhook_list",
                "bell",
                "adminset.view_webhook",
            ),
            Entry(
                _("Maintenance"),
                "maintenance",
                "screwdriver-wrench",
                maintenance.PERMISSION,
                everywhere=True,
            ),
            Entry(
                _("State of the portal"),
                "system_state",
                "heart-pulse",
                "adminset.view_auditentry",
            ),
        ),
    ),
)
