"""What an application is: projects with environments, dependencies and packages; how it is configured, beside."""

from appconf.config_models import ConfigFile, ConfigVersion
from appconf.dependency_models import Dependency
from appconf.environment_models import (
    Environment,
    EnvironmentGroup,
    EnvironmentHost,
)
from appconf.package_models import Package
from appconf.project_models import Project
from appconf.pull_models import PullToken
from appconf.variable_models import Variable

__all__ = [
    "ConfigFile",
    "ConfigVersion",
    "Dependency",
    "Environment",
    "EnvironmentGroup",
    "EnvironmentHost",
    "Package",
    "Project",
    "PullToken",
    "Variable",
]
