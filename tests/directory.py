"""A real LDAP server for tests: Debian's slapd on a loopback port, with people, groups and a certificate of our own."""

import shutil
import subprocess
from pathlib import Path

from tests.certificates import make_authority, make_certificate
from tests.services import free_port, wait_for_port

SLAPD = "/usr/sbin/slapd"
BASE = "dc=example,dc=com"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{BASE}", "the directory's own word"
PASSWORD = "a word for the directory"
PEOPLE = ("ann", "bob", "carl")
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {authority}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""


def missing() -> str:
    """Say why there can be no server; "" when there can."""
    return "" if Path(SLAPD).exists() else "slapd is missing: apt-get install slapd"


def entries() -> str:
    """Give people and groups as LDIF. Two share a mail address, one has a name with hostile characters in it."""
    parts = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example",
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people",
        f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups",
    ]
    for name in PEOPLE:
        parts.append(
            f"dn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\n"
            f"cn: {name.title()} Example\nsn: Example\nmail: {name}@example.com\n"
            f"employeeType: staff\nuserPassword: {PASSWORD}"
        )
    for group, members in {"ops": ("ann",), "dev": ("ann", "bob")}.items():
        listed = "\n".join(f"member: uid={name},ou=people,{BASE}" for name in members)
        parts.append(
            f"dn: cn={group},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {group}\n{listed}"
        )
    return "\n\n".join(parts) + "\n"


class Directory:
    """A running slapd."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir()
        authority = make_authority(folder)
        certificate, key = make_certificate(authority, "localhost")
        self.authority_file = authority.certificate_file
        self.port = free_port()
        configuration = folder / "slapd.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                authority=self.authority_file,
                certificate=certificate,
                key=key,
                base=BASE,
                admin=ADMIN,
                password=ADMIN_PASSWORD,
            )
        )
        people = folder / "people.ldif"
        people.write_text(entries())
        adding = shutil.which("slapadd") or "/usr/sbin/slapadd"
        subprocess.run(
            [adding, "-f", str(configuration), "-l", str(people)],
            check=True,
            capture_output=True,
        )
        self._process: subprocess.Popen[bytes] = self._start(configuration)

    def _start(self, configuration: Path) -> subprocess.Popen[bytes]:
        address = f"ldap://127.0.0.1:{self.port}"
        process = subprocess.Popen(
            [SLAPD, "-f", str(configuration), "-h", address, "-d", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, process)
        return process

    @property
    def url(self) -> str:
        """Address by the name that the certificate proves."""
        return f"ldap://localhost:{self.port}"

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
