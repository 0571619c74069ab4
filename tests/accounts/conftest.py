"""A real OpenID provider on a loopback port, for the tests that ask for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from oidc_provider_mock import run_server_in_thread


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a running provider."""
    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def oidc_sign_in(provider: str, settings: Any) -> None:
    """The portal, told of the provider."""
    settings.OIDC_ISSUER = provider
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "portal", "the client's word"
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
