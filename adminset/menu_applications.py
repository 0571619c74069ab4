"""Lines of the menu for applications and their delivery; adminset/menu.py puts them into its sections."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# Arguments of an Entry each: title, url name, icon, permission, and further urls that belong to it.
Line = tuple[Any, ...]

# A page of assets that projects hang on: its own line stands there.
APPLICATIONS_BESIDE: tuple[Line, ...] = (
    (
        _("Product lines"),
        "cmdb:productline_list",
        "boxes-stacked",
        "cmdb.view_productline",
    ),
)
APPLICATIONS: tuple[Line, ...] = (
    (
        _("Projects"),
        "appconf:project_list",
        "cubes",
        "appconf.view_project",
        ("appconf:dependency",),
    ),
    (
        _("Environments"),
        "appconf:environment_list",
        "layer-group",
        "appconf.view_environment",
    ),
    (
        _("Configuration files"),
        "appconf:configfile_list",
        "file-lines",
        "appconf.view_configfile",
        ("appconf:configversion",),
    ),
    (
        _("Variables"),
        "appconf:variable_list",
        "sliders",
        "appconf.view_variable",
    ),
    (
        _("Pull tokens"),
        "appconf:pulltoken_list",
        "ticket",
        "appconf.view_pulltoken",
    ),
    (
        _("Software packages"),
        "appconf:package_list",
        "box",
        "appconf.view_package",
    ),
    (_("Contacts"), "cmdb:contact_list", "address-book", "cmdb.view_contact"),
    (_("Credentials"), "cmdb:credential_list", "key", "cmdb.view_credential"),
)
DELIVERY: tuple[Line, ...] = (
    (
        _("Pipelines"),
        "delivery:pipeline_list",
        "diagram-project",
        "delivery.view_pipeline",
        ("delivery:project",),
    ),
    (_("Deploys"), "delivery:deploy_list", "rocket", "delivery.view_deploy"),
    (
        _("Artefacts"),
        "delivery:artefact_list",
        "box-archive",
        "delivery.view_artefact",
        ("delivery:build",),
    ),
    (
        _("Sets of releases"),
        "delivery:releaseset_list",
        "object-group",
        "delivery.view_releaseset",
        ("delivery:setrun",),
    ),
    (
        _("Planned deploys"),
        "delivery:deployschedule_list",
        "calendar-days",
        "delivery.view_deployschedule",
        ("delivery:followup",),
    ),
    (
        _("Git web-hooks"),
        "delivery:githook_list",
        "right-to-bracket",
        "delivery.view_githook",
    ),
    (
        _("Pipeline templates"),
        "delivery:pipelinetemplate_list",
        "clone",
        "delivery.view_pipelinetemplate",
    ),
    (
        _("Deploy locks"),
        "delivery:deploylock_list",
        "lock",
        "delivery.view_deploylock",
    ),
    (
        _("What is live where"),
        "delivery:live",
        "code-compare",
        "delivery.view_liverelease",
        ("delivery:environment", "delivery:host_unlock"),
    ),
    (
        _("Configuration on hosts"),
        "delivery:configdrift_list",
        "file-circle-check",
        "delivery.view_configdrift",
        ("delivery:configpush",),
    ),
    (_("Figures"), "delivery:dora", "chart-column", "delivery.view_deploy"),
)
# Runs ask for approval, and so do deploys and versions of configuration: who has only those to decide finds the inbox, too.
APPROVALS: Line = (
    _("Approvals"),
    "tasks:approval_inbox",
    "user-check",
    "tasks.view_approval",
    ("tasks:approval", "tasks:approvalrule"),
    False,
    (
        "delivery.decide_deploy",
        "delivery.add_deploy",
        "appconf.approve_configversion",
    ),
)
