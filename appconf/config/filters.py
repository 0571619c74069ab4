"""How the lists of variables, configuration files and versions are narrowed."""

from adminset.crud.plain import plain_filter
from appconf.models import ConfigFile, ConfigVersion, Variable

VariableFilter = plain_filter(
    Variable, "level", "product_line", "project", "environment", "host_group"
)
ConfigFileFilter = plain_filter(ConfigFile, "project", "environment")
ConfigVersionFilter = plain_filter(ConfigVersion, "status", "file")
