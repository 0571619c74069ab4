"""How the list of sites is narrowed."""

from adminset.crud.plain import plain_filter
from tasks.models import Site

SiteFilter = plain_filter(Site, "how", "fallback", "enabled")
