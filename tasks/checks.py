"""Says what is wrong with a playbook or a time zone, in a sentence with the line."""

import zoneinfo
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST_PLAYBOOK = 256 * 1024
MOST_KEYS = 10_000


class _Loader(yaml.SafeLoader):
    """Reads plain YAML and takes Ansible's own tags (!vault, !unsafe) as they stand."""

    def flatten_mapping(self, node: Any) -> None:
        """Merge `<<: *anchor`; merges of merges would grow without end."""
        super().flatten_mapping(node)
        if len(node.value) > MOST_KEYS:
            raise yaml.constructor.ConstructorError(
                problem="a mapping has too many keys", problem_mark=node.start_mark
            )


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def read_yaml(text: str) -> Any:
    """Read YAML as plain values; Ansible's own tags count as nothing.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: it cannot be read.
    """
    return yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader


def checked_yaml(text: str) -> Any:
    """Return what YAML says, read as read_yaml does.

    Raises:
        ValidationError: a sentence that names the line.
    """
    try:
        return read_yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ValidationError(
            _("Line %(line)s is not YAML: %(problem)s."),
            params={
                "line": mark.line + 1 if mark else "?",
                "problem": error.problem or error.context,
            },
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValidationError(
            _("This is not YAML: %(problem)s."), params={"problem": error}
        ) from error


def check_playbook(text: str) -> None:
    """Accept a YAML list of plays.

    Raises:
        ValidationError: a sentence that names the line.
    """
    if len(text.encode()) > LONGEST_PLAYBOOK:
        raise ValidationError(_("The playbook is longer than 256 KiB."))
    plays = checked_yaml(text)
    if not isinstance(plays, list) or not plays:
        raise ValidationError(
            _("Line 1: a playbook is a list of plays. Begin with `- hosts: all`.")
        )
    for number, play in enumerate(plays, 1):
        if not isinstance(play, dict) or not {
            "hosts",
            "import_playbook",
            "ansible.builtin.import_playbook",
        } & set(play):
            raise ValidationError(
                _("Play %(number)s has no `hosts:`. Write `- hosts: all`."),
                params={"number": number},
            )


def check_time_zone(name: str) -> None:
    """Accept the name of a time zone, else raise ValidationError with a sentence."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("There is no time zone %(name)s. Write it as Asia/Shanghai or UTC."),
            params={"name": name},
        )
