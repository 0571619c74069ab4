"""Django's error reports (the page of DEBUG, mails to ADMINS): secrets masked by name and by value, also while developing."""

import pprint
import re
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from adminset.redaction import MASK, clean, known

SECRET_NAMES = re.compile(
    r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|CREDENTIAL|PRIVATE|SESSION|CSRF|OTP|RECOVERY",
    re.IGNORECASE,
)


class _Shown:
    """A value as the report prints it, already masked."""

    def __init__(self, value: Any) -> None:
        self._text = clean(_printed(value))

    def __repr__(self) -> str:
        return self._text


def _printed(value: Any) -> str:
    try:
        return pprint.pformat(value)
    except Exception as error:  # noqa: BLE001 - a report must not fail over an object that cannot show itself
        return f"<cannot be shown: {type(error).__name__}>"


class ReportFilter(SafeExceptionReporterFilter):
    """Hides what is named like a secret, in settings, headers, forms and local variables alike."""

    cleansed_substitute = MASK
    hidden_settings = SECRET_NAMES

    def is_active(self, request: HttpRequest | None) -> bool:
        """Hide while developing too: a page of DEBUG is copied into tickets."""
        return True

    def cleanse_setting(self, key: Any, value: Any) -> Any:
        """Hide by name; mask passwords within addresses."""
        found = super().cleanse_setting(key, value)
        return clean(found) if isinstance(found, str) else found

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        """Hide the secrets of a form, whether its view declared them or not."""
        sent = super().get_post_parameters(request).copy()
        for name in sent:
            sent[name] = self.cleanse_setting(name, sent[name])
        return sent

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        """Hide local variables by name, and secrets within the others."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return [
            (name, _Shown(self.cleanse_setting(name, value))) for name, value in found
        ]


class Reporter(ExceptionReporter):
    """Masks the secrets that this process knows wherever else they stand, such as in the words of the error."""

    def get_traceback_html(self) -> Any:
        """Give the page."""
        return known.mask(super().get_traceback_html())

    def get_traceback_text(self) -> Any:
        """Give the text."""
        return clean(super().get_traceback_text())
