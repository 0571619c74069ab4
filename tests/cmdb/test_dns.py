"""What names and DNS records may say."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from cmdb import records
from cmdb.models import DnsRecord, DnsZone, IpAddress


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("A", " 192.0.2.7 ", "192.0.2.7"),
        ("AAAA", "2001:DB8:0::7", "2001:db8::7"),
        ("CNAME", "WWW.example.com.", "www.example.com."),
        ("NS", "ns1.例子.cn", "ns1.例子.cn"),
        ("MX", "010  mail.example.com", "10 mail.example.com"),
        ("MX", "0 .", "0 ."),
        ("SRV", "10 5 5060 _sip.example.com", "10 5 5060 _sip.example.com"),
        ("TXT", "v=spf1  -all", "v=spf1  -all"),
        ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
        ("PTR", "host.example.com.", "host.example.com."),
    ],
)
def test_a_value_is_kept_in_one_form(kind: str, value: str, kept: str) -> None:
    assert records.cleaned(kind, value) == kept


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "2001:db8::7"),
        ("A", "192.0.2.700"),
        ("AAAA", "192.0.2.7"),
        ("CNAME", "a..b"),
        ("CNAME", "-a.example.com"),
        ("NS", "x" * 64 + ".com"),
        ("NS", "<script>.com"),
        ("MX", "mail.example.com"),
        ("MX", "70000 mail.example.com"),
        ("MX", "١ mail.example.com"),
        ("SRV", "10 5 sip.example.com"),
        ("TXT", "a\x00b"),
        ("TXT", "a\nb"),
        ("CAA", "300 issue x"),
        ("CAA", '0 issue a"b'),
        ("PTR", ""),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(kind: str, value: str) -> None:
    with pytest.raises(ValidationError):
        records.cleaned(kind, value)


@pytest.fixture
def add(client_of: Any, admin: User) -> Any:
    """Add a record of a zone through the API; give (status, fields at fault)."""
    client = client_of(admin)
    zone = DnsZone.objects.create(name="example.com")

    def send(name: str, kind: str, value: str, **more: Any) -> tuple[int, list[str]]:
        answer = client.post(
            "/api/v1/dns-records/",
            {"zone": zone.pk, "name": name, "type": kind, "value": value, **more},
            content_type="application/json",
        )
        return answer.status_code, list(
            answer.json().get("error", {}).get("fields", ())
        )

    return send


def test_a_record_stands_once_and_a_cname_alone(add: Any) -> None:
    assert add("www", "A", "192.0.2.7") == (201, [])
    assert add("WWW", "A", "192.0.2.7") == (422, ["value"])
    assert add("www", "A", "192.0.2.8") == (201, [])
    assert add("www", "CNAME", "x.example.com") == (422, ["name"])
    assert add("alias", "CNAME", "x.example.com") == (201, [])
    assert add("alias", "TXT", "hello") == (422, ["name"])
    assert add("@", "CNAME", "x.example.com") == (422, ["name"])
    assert add("*.dev", "A", "192.0.2.9") == (201, [])
    assert add("a.b.example.com.", "A", "192.0.2.9") == (422, ["name"])
    assert DnsRecord.objects.count() == 4


def test_a_record_names_the_address_that_it_refers_to(add: Any) -> None:
    address = IpAddress.objects.create(address="192.0.2.7")
    assert add("a", "A", "192.0.2.8", address=address.pk) == (422, ["address"])
    assert add("a", "A", "192.0.2.7", address=address.pk) == (201, [])
    address.delete()
    assert DnsRecord.objects.get().address is None


@pytest.mark.django_db
def test_a_record_shows_on_its_zone_and_its_address(
    client_of: Any, admin: User
) -> None:
    zone = DnsZone.objects.create(name="example.com")
    address = IpAddress.objects.create(address="192.0.2.7")
    DnsRecord.objects.create(
        zone=zone, name="www", type="A", value="192.0.2.7", address=address
    )
    client = client_of(admin)
    for page in (zone, address):
        shown = client.get(page.get_absolute_url() + "?tab=records").content.decode()
        assert "www.example.com A" in shown
