"""Checks at the start of what the settings say of measurements."""

from typing import Any

from django.conf import settings
from django.core import checks

from monitor.policy_models import least_raw_hours


def check_retention(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """Say where single samples stay longer than the settings say, for the sake of late ones."""
    least = least_raw_hours()
    if least <= settings.METRICS_RAW_HOURS:
        return []
    return [
        checks.Warning(
            f"ADMINSET_METRICS_RAW_HOURS is {settings.METRICS_RAW_HOURS}; single samples stay for {least} hours, as agents may send them that late.",
            hint="Set it so, or have ADMINSET_AGENT_MAX_SAMPLE_AGE_SECONDS refuse late samples earlier.",
            id="monitor.W001",
        )
    ]
