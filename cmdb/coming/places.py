"""AdminSet's people, product lines, places, credentials and contracts, row by row in our words."""

import re
from typing import Any

from django.utils.text import slugify

from adminset.crud.resource import Resource
from cmdb.coming import reading
from cmdb.coming.putting import Kind, Putter, Wanted
from cmdb.coming.source import Row
from cmdb.forms.credentials import key_problem
from cmdb.models import (
    AssetStatus,
    Branch,
    Cabinet,
    Contact,
    Contract,
    Credential,
    Idc,
    ProductLine,
    Region,
    Supplier,
)
from cmdb.resources import finance, hosts, organisation

OWNERS, PRODUCTS = "appconf_appowner", "appconf_product"
LOGINS, IDCS, CABINETS = "appconf_authinfo", "cmdb_idc", "cmdb_cabinet"
REGIONS, BRANCHES = "branches_region", "branches_branch"
CONTRACTS = "branches_resource"
HOMELESS = "AdminSet"
# A login within an address.
LOGIN = re.compile(r"//[^/@\s]+@")


def kind_of(resource: Resource, **options: Any) -> Kind:
    """Give how the objects of a resource are written."""
    return Kind(resource.model, resource.form, resource.save, **options)


CONTACT = kind_of(organisation.CONTACT)
PRODUCT = kind_of(organisation.PRODUCT_LINE, notes="description")
REGION, BRANCH = kind_of(organisation.REGION), kind_of(organisation.BRANCH)
SUPPLIER, CONTRACT = kind_of(organisation.SUPPLIER), kind_of(finance.CONTRACT)
IDC, CABINET = kind_of(hosts.IDC), kind_of(hosts.CABINET)
CREDENTIAL = kind_of(hosts.CREDENTIAL, merges=False)


def key_of(model: Any, **values: Any) -> Any:
    """Give the key of the object that is called so, None where there is none."""
    found = model.objects.filter(**values).order_by("pk")
    return found.values_list("pk", flat=True).first()


def code_for(model: Any, said: str, fallback: str, longest: int) -> str:
    """Make a code that nothing of the model has yet."""
    code = slugify(said)[:longest] or fallback
    return fallback if model.objects.filter(code=code).exists() else code


def owner_name(putter: Putter, wanted: Wanted) -> None:
    """Set the owner, whom assets name in words."""
    key = wanted.row.get("owner_id")
    if key is None:
        return
    pk = putter.made.get((OWNERS, key))
    contact = Contact.objects.filter(pk=pk).first() if pk else None
    if contact is None:
        wanted.remarks.append(f"owner: {OWNERS} {key} did not come over")
    else:
        wanted.values["owner"] = contact.name
        wanted.told["owner"] = ("owner", contact.name)


def put_owner(putter: Putter, row: Row) -> None:
    """Bring over a person."""
    wanted = Wanted(row)
    for name, column in (("name", "name"), ("phone", "phone"), ("qq", "qq")):
        wanted.take(name, column)
    wanted.take("wechat", "wechat")
    putter.put(OWNERS, CONTACT, wanted, key_of(Contact, name=wanted.name))


def put_product(putter: Putter, row: Row) -> None:
    """Bring over a product line; its code is made of its name."""
    wanted = Wanted(row)
    wanted.take("name", "name")
    wanted.text("description")
    owner_name(putter, wanted)
    pk = key_of(ProductLine, name=wanted.name)
    if pk is None:
        wanted.values["code"] = code_for(
            ProductLine, wanted.name, f"product-{row['id']}", 50
        )
    putter.put(PRODUCTS, PRODUCT, wanted, pk)


def put_region(putter: Putter, row: Row) -> None:
    """Bring over a region."""
    wanted = _office(putter, row)
    putter.put(REGIONS, REGION, wanted, key_of(Region, name=wanted.name))


def put_branch(putter: Putter, row: Row) -> None:
    """Bring over a branch."""
    wanted = _office(putter, row)
    putter.refer(wanted, "region", "region_id", REGIONS)
    putter.put(BRANCHES, BRANCH, wanted, key_of(Branch, name=wanted.name))


def _office(putter: Putter, row: Row) -> Wanted:
    wanted = Wanted(row)
    wanted.take("name", "name")
    wanted.take("address", "address")
    wanted.take("phone", "telephone")
    wanted.text("description")
    owner_name(putter, wanted)
    return wanted


def put_login(putter: Putter, row: Row) -> None:
    """Bring over a credential: its secrets are sealed by the form's service and stand in no report."""
    wanted = Wanted(row, needed=("name", "username"))
    wanted.take("name", "dis_name")
    wanted.take("username", "username")
    wanted.take("port", "deploy_port")
    wanted.text("memo")
    pk = key_of(Credential, name=wanted.name)
    held = Credential.objects.filter(pk=pk).first()
    if "username" not in wanted.values:
        wanted.values["username"] = held.username if held else "root"
        wanted.remarks.append("username was empty: root is assumed")
    # Spaces belong to a password.
    _secret(wanted, "password", str(row.get("password") or ""), held)
    key = str(row.get("private_key") or "").strip()
    problem = key_problem(key, "") if key else None
    if problem:
        wanted.remarks.append(f"private_key was left out: {problem}")
    elif key:
        lines = "".join(f"{line.strip()}\n" for line in key.splitlines())
        _secret(wanted, "private_key", lines, held)
    putter.put(LOGINS, CREDENTIAL, wanted, pk)


def _secret(wanted: Wanted, name: str, plain: str, held: Credential | None) -> None:
    """Set a secret, if it is not the one that is stored."""
    sealed = getattr(held, name, None)
    if plain and not (sealed and sealed.reveal() == plain):
        wanted.values[name] = plain


def put_idc(putter: Putter, row: Row) -> None:
    """Bring over a data centre."""
    wanted = Wanted(row)
    wanted.values["name"] = f"IDC {row['id']}"
    for name, column in (("name", "name"), ("address", "address"), ("phone", "tel")):
        wanted.take(name, column)
    for name, column in (("contact", "contact"), ("bandwidth", "bandwidth")):
        wanted.take(name, column)
    wanted.take("address_ranges", "ip_range")
    if "phone" not in wanted.values:
        wanted.take("phone", "contact_phone")
    else:
        wanted.note("contact_phone")
    wanted.note("jigui")
    wanted.text("memo")
    said = reading.text(row.get("ids"))
    pk = key_of(Idc, name=wanted.name)
    if pk is None:
        code = code_for(Idc, said, f"idc-{row['id']}", 30)
        wanted.values["code"] = code
    if said and said != slugify(said)[:30]:
        wanted.note("ids")
    putter.put(IDCS, IDC, wanted, pk)


def put_cabinet(putter: Putter, row: Row, host_idcs: set[Any]) -> Any:
    """Bring over a cabinet; one without an IDC stands in that of its hosts, else in one named AdminSet.

    Args:
        host_idcs: keys that AdminSet gave the IDCs of its hosts.
    """
    wanted = Wanted(row)
    wanted.take("name", "name")
    wanted.text("desc")
    if row.get("idc_id") is None and len(host_idcs) == 1:
        wanted.row = {**row, "idc_id": next(iter(host_idcs))}
        wanted.remarks.append("it had no IDC: that of its hosts is taken")
    putter.refer(wanted, "idc", "idc_id", IDCS)
    if "idc" not in wanted.values:
        wanted.remarks.append(f"it has no IDC: it stands in {HOMELESS}")
        wanted.values["idc"] = _homeless(putter)
    pk = key_of(Cabinet, idc=wanted.values["idc"], name=wanted.name)
    return putter.put(CABINETS, CABINET, wanted, pk)


def _homeless(putter: Putter) -> Any:
    """Give the IDC for cabinets without one."""
    pk = putter.made.get((IDCS, None)) or key_of(Idc, name=HOMELESS)
    if pk is None:
        wanted = Wanted({"id": None})
        wanted.values = {
            "name": HOMELESS,
            "code": code_for(Idc, HOMELESS, "adminset-import", 30),
        }
        pk = putter.put(IDCS, IDC, wanted, None)
    return pk


def put_contract(putter: Putter, row: Row, currency: str) -> None:
    """Bring over a row of AdminSet's resources: several of them may bear one contract number, ours is given once."""
    wanted = Wanted(row, needed=("number", "name"))
    wanted.values["kind"] = Contract.Kind.SERVICE
    _number(putter, wanted)
    for name, column in (("name", "name"), ("serial", "sn"), ("spec", "spec")):
        wanted.take(name, column)
    wanted.take("starts_on", "contract_start", reading.day)
    wanted.take("ends_on", "contract_end", reading.day)
    wanted.take("service_phone", "service_phone")
    _amounts(wanted, currency)
    wanted.text("description")
    _supplier(putter, wanted)
    putter.refer(wanted, "branch", "branch_id", BRANCHES)
    owner_name(putter, wanted)
    start, end = (wanted.values.get(each, "") for each in ("starts_on", "ends_on"))
    if start and end and end < start:
        for name in ("starts_on", "ends_on"):
            wanted.give_up(name, "it ends before it starts")
    pk = key_of(Contract, number=wanted.values.get("number"))
    putter.put(CONTRACTS, CONTRACT, wanted, pk)


def _number(putter: Putter, wanted: Wanted) -> None:
    row = wanted.row
    numbers = [reading.text(row.get(name)) for name in ("contract", "sn")]
    given = [each for each in numbers if each] or [f"AdminSet {row['id']}"]
    tries = [given[0], " / ".join(given), f"{given[0]} / {row['id']}"]
    free = [each for each in tries if not putter.has(Contract, number=each)]
    wanted.values["number"] = free[0] if free else tries[-1]
    if len(wanted.values["number"]) > 100:
        wanted.values["number"] = f"AdminSet {row['id']}"
        wanted.note("contract")
    elif wanted.values["number"] != given[0]:
        wanted.remarks.append("another row bears this contract number")


def _amounts(wanted: Wanted, currency: str) -> None:
    """Read the two amounts; one in another currency than the first goes to the notes."""
    found = ""
    for name, column in (("budgeted", "budget"), ("amount", "paid")):
        said = reading.text(wanted.row.get(column))
        told = reading.money(said) if said else None
        if told is None or (found and (told[1] or currency) != found):
            wanted.note(column, said)
            continue
        found = told[1] or currency
        wanted.values |= {name: str(told[0]), "currency": found}
        wanted.told[name] = (column, said)


def _supplier(putter: Putter, wanted: Wanted) -> None:
    said = reading.text(wanted.row.get("supplier"))
    if not said:
        return
    pk = key_of(Supplier, name=said)
    if pk is None:
        made = Wanted({"id": wanted.row["id"]}, values={"name": said})
        pk = putter.put(f"{CONTRACTS}.supplier", SUPPLIER, made, None)
    if pk is None:
        wanted.note("supplier")
    else:
        wanted.values["supplier"] = pk


def status_key(putter: Putter, row: Row, name: str) -> Any:
    """Give the key of an asset status, which is made where there is none of that name."""
    pk = key_of(AssetStatus, name=name)
    if pk is None:
        made = Wanted({"id": row["id"]}, values={"name": name, "monitored": True})
        kind = kind_of(hosts.ASSET_STATUS, notes="")
        pk = putter.put("cmdb_host.status", kind, made, None)
    return pk
