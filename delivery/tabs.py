"""The lists of the room that stand side by side: pages and resources name each other by them."""

TABS = (
    "delivery:pipeline_list",
    "delivery:deploy_list",
    "delivery:live",
    "delivery:artefact_list",
    "delivery:pipelinetemplate_list",
    "delivery:deploylock_list",
    "delivery:dora",
)
