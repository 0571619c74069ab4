"""Speaking with the REST of deliveries by a token; questions are answered as soon as they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from delivery.asked import answerers
from delivery.asked.answering import answer
from tests.app_factories import grant_on
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user
from tests.tasks.run_api.api_things import token_of

MAY = (
    "appconf.view_project",
    "appconf.view_environment",
    "appconf.deploy_environment",
    "delivery.view_pipeline",
    "delivery.view_deploy",
    "delivery.add_deploy",
    "delivery.cancel_deploy",
    "delivery.view_liverelease",
    "delivery.view_artefact",
    "delivery.change_artefact",
)
Make = Callable[..., "Api"]


class Api:
    """Speaks by a token; questions are answered as soon as they are asked."""

    def __init__(self, user: User, **limits: Any) -> None:
        self.client = Client(
            headers={"Authorization": f"Bearer {token_of(user, **limits)}"}
        )

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}",
            body or {},
            content_type="application/json",
            headers=headers,
        )

    def put(self, path: str, body: bytes) -> Any:
        return self.client.put(
            f"/api/v1/{path}", body, content_type="application/octet-stream"
        )


@pytest.fixture
def deployer(paper: Paper) -> User:
    made = make_user("deployer")
    grant_on(made, MAY, paper.pipeline.project)
    return made


@pytest.fixture
def api(deployer: User, monkeypatch: pytest.MonkeyPatch) -> Api:
    class Worker:
        def send_task(self, name: str, args: tuple[str], queue: str) -> None:
            answerers.join()
            answer(*args)

    monkeypatch.setattr("adminset.calling.current_app", Worker())
    return Api(deployer)
