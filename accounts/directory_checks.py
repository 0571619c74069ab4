"""Checks at the start of what the settings say of LDAP and OpenID Connect."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from accounts.directory import LOOPBACK


def check_directory(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """Refuse passwords over a line that anybody can read, and half a configuration."""
    found: list[checks.CheckMessage] = []
    for url in settings.LDAP_URLS:
        parts = urlsplit(url)
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            found.append(
                checks.Error(
                    f"ADMINSET_LDAP_URL names {url!r}, which is no LDAP server.",
                    hint="Write ldaps://host or ldap://host.",
                    id="accounts.E010",
                )
            )
        elif parts.scheme == "ldap" and not (
            settings.LDAP_START_TLS or parts.hostname in LOOPBACK
        ):
            found.append(
                checks.Error(
                    f"ADMINSET_LDAP_URL names {url!r}: passwords would go over the network in clear.",
                    hint="Use ldaps://, or turn ADMINSET_LDAP_START_TLS on.",
                    id="accounts.E011",
                )
            )
    if settings.LDAP_URLS and not settings.LDAP_BASE_DN:
        found.append(
            checks.Error(
                "ADMINSET_LDAP_URL is set and ADMINSET_LDAP_BASE_DN is not.",
                hint="Say below which entry people are searched: dc=example,dc=com.",
                id="accounts.E012",
            )
        )
    if settings.OIDC_ISSUER and not settings.OIDC_CLIENT_ID:
        found.append(
            checks.Error(
                "ADMINSET_OIDC_ISSUER is set and ADMINSET_OIDC_CLIENT_ID is not.",
                hint="Register the portal at the provider and name the client here.",
                id="accounts.E013",
            )
        )
    return found
