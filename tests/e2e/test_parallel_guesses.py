"""Guesses that arrive all at once, at the real door: few are checked, the rest wait, and nobody is locked out for good."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.e2e.conftest import Portal

pytestmark = [pytest.mark.xdist_group("portal")]

GUESSES = 20
COUNT = (
    "from adminset.models import AuditEntry as A;"
    "print(*A.objects.filter(target_name='guessed').values_list('verb', flat=True))"
)
MAKE = "from accounts.models import User; User.objects.create_user('guessed', None)"


def test_of_twenty_guesses_at_once_five_are_checked(portal: Portal) -> None:
    portal.wait_ready()
    portal.manage("shell", "-c", MAKE)
    address = f"{portal.url}/accounts/sign-in/"
    visitors = []
    for _ in range(GUESSES):
        visitor = requests.Session()
        visitor.get(address, timeout=30)
        visitors.append(visitor)

    def guess(visitor: requests.Session) -> requests.Response:
        data = {
            "username": "guessed",
            "password": "a guess",
            "csrfmiddlewaretoken": visitor.cookies["csrftoken"],
        }
        return visitor.post(address, data, headers={"Referer": address}, timeout=60)

    with ThreadPoolExecutor(GUESSES) as pool:
        answers = list(pool.map(guess, visitors))
    assert Counter(answer.status_code for answer in answers) == {422: 5, 429: 15}
    waits = {int(a.headers["Retry-After"]) for a in answers if a.status_code == 429}
    assert all(1 <= wait <= 300 for wait in waits)
    said = Counter(portal.manage("shell", "-c", COUNT).split()[-6:])
    assert said == {"session.refused": 5, "session.throttled": 1}
