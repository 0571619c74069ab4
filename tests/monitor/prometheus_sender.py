"""What the tests of remote write and of the query API share: a Prometheus that writes, and a Grafana that asks."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import cramjam
from django.test import Client

from accounts.models import User
from accounts.services import tokens
from monitor.prometheus.wire import MESSAGES

STALE = b"\x02\x00\x00\x00\x00\x00\xf0\x7f"
Labels = Mapping[str, str]
# (labels, [(Unix seconds, value)])
Series = tuple[Labels, list[tuple[float, float]]]


def body_of(series: Iterable[Series], *, histograms: int = 0) -> bytes:
    """Write what Prometheus posts."""
    request = MESSAGES["WriteRequest"]()
    for labels, samples in series:
        one = MESSAGES["TimeSeries"]()
        for name, value in sorted(labels.items()):
            label = MESSAGES["Label"](name=name.encode(), value=value.encode())
            one.labels.append(label.SerializeToString())
        for moment, value in samples:
            one.samples.add(timestamp=round(moment * 1000), value=value)
        one.histograms.extend([b""] * histograms)
        request.timeseries.append(one.SerializeToString())
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def named(name: str, host: str = "web1:9100", **labels: str) -> dict[str, str]:
    """Give the labels of a series as a scrape makes them."""
    return {"__name__": name, "instance": host, "job": "node", **labels}


def token_of(user: User, **limits: Any) -> str:
    """Make a token that may change things, and less where `limits` say so; gives its text."""
    given: Any = {"can_write": True} | limits
    return tokens.create_token(actor=user, user=user, name="prometheus", **given)[1]


def bearer(token: str) -> dict[str, str]:
    """Give the header as Prometheus' `authorization` sends it."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def basic(token: str, name: str = "anybody") -> dict[str, str]:
    """Give the header as `basic_auth` sends it."""
    pair = base64.b64encode(f"{name}:{token}".encode()).decode()
    return {"HTTP_AUTHORIZATION": f"Basic {pair}"}


def write(body: bytes, headers: Mapping[str, str]) -> Any:
    """Post a body to the receiver."""
    return Client().post(
        "/api/prom/write",
        body,
        content_type="application/x-protobuf",
        HTTP_CONTENT_ENCODING="snappy",
        HTTP_X_PROMETHEUS_REMOTE_WRITE_VERSION="0.1.0",
        **headers,
    )


def ask(path: str, headers: Mapping[str, str], **parameters: Any) -> Any:
    """Ask the query API by GET; gives the answer with its JSON in `.said`."""
    answer = Client().get(f"/api/prom/api/v1/{path}", parameters, **headers)
    answer.said = json.loads(answer.content)  # type: ignore[attr-defined]
    return answer


def values(answer: Any, label: str = "host") -> dict[str, str]:
    """Give label -> value of an instant vector."""
    assert answer.status_code == 200, answer.said
    assert answer.said["data"]["resultType"] == "vector"
    result = answer.said["data"]["result"]
    return {each["metric"].get(label, ""): each["value"][1] for each in result}
