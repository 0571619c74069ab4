"""The rows of the room; each stands in a file of its own and is named here."""

from delivery.artefact_models import Artefact, Build
from delivery.config_models import ConfigDrift, ConfigPush, ConfigPushHost
from delivery.deploy_models import Deploy
from delivery.deploy_part_models import DeployHost, DeployStep
from delivery.githook_models import GitHook, GitHookDelivery, GitHookSeen
from delivery.live_models import LiveRelease
from delivery.pipeline_models import (
    Pipeline,
    PipelineEnvironment,
    PipelineTemplate,
)
from delivery.request_models import DeployRequest
from delivery.safety_models import DeployLock, DeployVote
from delivery.set_models import ReleaseSet, ReleaseSetItem
from delivery.set_run_models import SetPart, SetRun
from delivery.source_models import SourceKey
from delivery.trigger_models import DeploySchedule, DeployTime, FollowUp

__all__ = [
    "Artefact",
    "Build",
    "ConfigDrift",
    "ConfigPush",
    "ConfigPushHost",
    "Deploy",
    "DeployHost",
    "DeployLock",
    "DeployRequest",
    "DeploySchedule",
    "DeployStep",
    "DeployTime",
    "DeployVote",
    "FollowUp",
    "GitHook",
    "GitHookDelivery",
    "GitHookSeen",
    "LiveRelease",
    "Pipeline",
    "PipelineEnvironment",
    "PipelineTemplate",
    "ReleaseSet",
    "ReleaseSetItem",
    "SetPart",
    "SetRun",
    "SourceKey",
]
