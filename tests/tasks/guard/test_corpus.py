"""Ways round: what the shipped rules see, what they only notice, and what they honestly do not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from tasks.guard.judging import Rule, find
from tasks.guard.patterns import patterns_of
from tasks.guard.shipped import RULES
from tests.tasks.guard.corpus import FLAGGED, SEEN, UNSEEN, lines_of

DOCS = Path(__file__).resolve().parents[3] / "docs" / "terminal-guard.md"
# What people type all day; none of it is anybody's business.
HARMLESS = r"""
rm -rf /tmp/x
rm -rf ./build ~/x
rm -f /var/tmp/a /var/tmp/b
git rm -r docs
grep -r reboot /etc
man shutdown
echo 'rm -rf /'
echo "please do not run rm -rf /"
tail -f /var/log/syslog | grep -v init
find . -name '*.pyc' -delete
find /var/tmp -mtime +7 -delete
chmod -R 755 /etc/nginx
chown -R www-data: /var/www
dd if=/dev/zero of=/dev/null count=1
dd if=/dev/sda of=/backup/sda.img
cat /etc/passwd > /tmp/passwd
systemctl restart nginx
systemctl status sshd
history | tail
ps aux | grep sh
curl -s http://example.net/x | jq .
for f in *.log; do gzip "$f"; done
sudo -i
ssh web2 uptime
docker run -it debian bash
make -j4 && sudo make install
awk '{print $1}' access.log | sort | uniq -c
python3 -c 'print(1)'
passwd alice
vim /etc/fstab
mkdir -p /srv/mkfs
"""


@lru_cache
def shipped() -> tuple[Rule, ...]:
    return tuple(
        Rule(each.name, each.action, each.risk, "", tuple(patterns_of(each.patterns)))
        for each in RULES
    )


def actions(line: str) -> dict[str, str]:
    """Give what each rule does that fits."""
    return {rule.name: action for rule, action in find(shipped(), line).fits}


def test_the_corpus_is_large() -> None:
    assert len(lines_of(SEEN)) + len(lines_of(FLAGGED)) + len(lines_of(UNSEEN)) >= 60


@pytest.mark.parametrize("line", lines_of(SEEN))
def test_it_is_seen(line: str) -> None:
    found = find(shipped(), line).judgement
    assert found.action in ("warn", "confirm", "refuse")
    assert found.risk == 2


@pytest.mark.parametrize("line", lines_of(FLAGGED))
def test_it_is_noticed_as_hidden(line: str) -> None:
    assert actions(line) == {"Out of sight": "notify"}


@pytest.mark.parametrize("line", lines_of(UNSEEN))
def test_it_is_not_seen_and_the_page_says_so(line: str) -> None:
    assert actions(line) == {}
    assert f"`{line}`" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", lines_of(HARMLESS))
def test_it_is_let_alone(line: str) -> None:
    assert actions(line) == {}
