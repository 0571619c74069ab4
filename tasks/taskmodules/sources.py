"""Where the choices of a field come from without a script: what the CMDB knows and the user may see."""

from typing import Any

from django.conf import settings
from django.db.models import Model

from cmdb.models import (
    Cluster,
    Contact,
    Host,
    HostGroup,
    Idc,
    ProductLine,
    Region,
    Software,
    Supplier,
    Tag,
)

# Name of a source -> the model and the field whose values are offered.
SOURCES: dict[str, tuple[type[Model], str]] = {
    "idcs": (Idc, "name"),
    "idc_codes": (Idc, "code"),
    "regions": (Region, "name"),
    "groups": (HostGroup, "name"),
    "hosts": (Host, "hostname"),
    "addresses": (Host, "address"),
    "owners": (Host, "owner"),
    "operating_systems": (Host, "os_name"),
    "kernels": (Host, "kernel"),
    "architectures": (Host, "architecture"),
    "contacts": (Contact, "name"),
    "product_lines": (ProductLine, "name"),
    "clusters": (Cluster, "name"),
    "suppliers": (Supplier, "name"),
    "software": (Software, "name"),
    "tags": (Tag, "name"),
}


def values_of(source: str, user: Any) -> list[str]:
    """List the values of a source that a user may see, each once, in order; at most ADMINSET_TASK_MODULE_CHOICES."""
    model, name = SOURCES[source]
    rows: Any = model._default_manager
    seen = rows.visible_to(user).exclude(**{name: None}).order_by(name)
    values = seen.values_list(name, flat=True).distinct()
    return [
        str(value) for value in values[: settings.TASK_MODULE_CHOICES] if value != ""
    ]
