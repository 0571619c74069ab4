"""What pushes put on hosts: at which path each file lies there, and with which secrets, for as long as they stand there."""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adminset.crypto import Secret
from adminset.errors import DomainError
from appconf.config.rendering import HostTexts
from appconf.models import Environment
from delivery.configs.programs import Place, Placed
from delivery.models import ConfigDrift

logger = logging.getLogger(__name__)


def places(environment: Environment, file_ids: Iterable[int]) -> set[Place]:
    """Give what lies where because a push put it there."""
    rows = ConfigDrift.objects.filter(environment=environment, file__in=list(file_ids))
    found = rows.exclude(path="").order_by()
    return set(found.values_list("host_id", "file_id", "path"))


def still_there(placed: Sequence[Placed], known: Collection[Place]) -> list[Placed]:
    """Keep of some files those that lie where they were pushed to: one whose path changed waits for its next push."""
    lying = {(file_id, path) for _host, file_id, path in known}
    return [one for one in placed if (one.file.pk, one.path) in lying]


def sealed_of(texts: HostTexts) -> str:
    """Give the secrets that stand in the files of one host, by file, to be sealed; "" where there are none."""
    found = {
        str(pk): sorted({texts.plain[name] for name in one.secrets} - {""})
        for pk, one in texts.files.items()
    }
    used = {key: values for key, values in found.items() if values}
    return json.dumps(used) if used else ""


def opened(sealed: Secret | None) -> Any:
    """Open what was sealed; an empty list where nothing was."""
    return json.loads(sealed.reveal()) if sealed else []


def opened_if_possible(sealed: Secret | None) -> Any:
    """Open what was sealed; an empty list also where its key is lost: nobody reads it ever again, so that nothing waits for it."""
    try:
        return opened(sealed)
    except DomainError as error:
        logger.warning("what a push sealed is lost: %s", error.message)
        return []


def with_former(
    environment: Environment, texts: Sequence[HostTexts]
) -> list[HostTexts]:
    """Put the secrets that stand on hosts still beside those of now: both are to be masked."""
    rows = ConfigDrift.objects.filter(environment=environment).exclude(secrets=None)
    former: dict[int, set[str]] = {}
    for row in rows.only("host", "secrets"):
        sealed: Any = row.secrets
        former.setdefault(row.host_id, set()).update(opened_if_possible(sealed))
    return [_beside(each, former.get(each.host.pk, set())) for each in texts]


def _beside(texts: HostTexts, former: Collection[str]) -> HostTexts:
    known = {f"former {number}": value for number, value in enumerate(sorted(former))}
    plain: Mapping[str, str] = {**texts.plain, **known}
    return replace(texts, plain=plain)
