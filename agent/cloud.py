"""Which cloud this machine runs in and what it is called there, asking nobody."""

import re
from typing import Dict, Optional

from agent.identity import dmi

INSTANCE = re.compile(r"i-[0-9a-f]{8,32}")
AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"
# Words in sys_vendor and product_name -> cloud.
CLOUDS = (
    ("amazon ec2", "aws"),
    ("google compute engine", "gcp"),
    ("alibaba cloud", "alibaba"),
    ("tencent cloud", "tencent"),
    ("huawei cloud", "huawei"),
    ("huaweicloud", "huawei"),
    ("digitalocean", "digitalocean"),
    ("hetzner", "hetzner"),
    ("oraclecloud", "oracle"),
    ("openstack", "openstack"),
)
# Where each of them writes the instance's own id.
PLACES = {
    "aws": "board_asset_tag",
    "azure": "product_uuid",
    "digitalocean": "product_serial",
    "hetzner": "product_serial",
    "openstack": "product_uuid",
    "tencent": "product_serial",
    "alibaba": "product_serial",
}


def cloud(dmi_dir: str) -> Dict[str, Optional[str]]:
    """cloud and cloud_instance_id by DMI alone: no request to a metadata service."""
    name = provider(dmi_dir)
    place = PLACES.get(name or "")
    found = dmi(place, dmi_dir) if place else None
    if name == "aws" and not INSTANCE.fullmatch(found or ""):
        found = None
    return {"cloud": name, "cloud_instance_id": found}


def provider(dmi_dir: str) -> Optional[str]:
    if dmi("chassis_asset_tag", dmi_dir) == AZURE_TAG:
        return "azure"
    words = ("sys_vendor", "product_name", "chassis_asset_tag")
    text = " ".join(dmi(word, dmi_dir) or "" for word in words).lower()
    return next((name for mark, name in CLOUDS if mark in text), None)
