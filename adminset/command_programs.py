"""Which programs take a password on their command line, and where: the table behind adminset.command_lines."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Takes:
    """How a program is given secrets.

    Attributes:
        options: by their names (a letter, or a word without `--`), with the mark in their value that the secret stands behind, "" for the whole.
        attached: beginnings of words that the secret follows at once; alone they ask for it.
        words: those behind which the next word is one.
        last: the last word of the command is one.
        login: the mark in a plain word that stands for user and secret.
    """

    options: dict[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    last: bool = False
    login: str = ""

    def next_to(self, bare: str) -> bool:
        """Say whether the word behind this one is a secret."""
        return bare.lower() in self.words


NOTHING = Takes()


def _whole(*options: str) -> dict[str, str]:
    return dict.fromkeys(options, "")


_TABLE = {
    # `-p` alone asks, and what follows is a database.
    "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlpump mysqlbinlog mysqlslap mysqlsh mariadb"
    " mariadb-dump mariadb-admin mariadb-backup mariadb-check xtrabackup innobackupex": Takes(
        attached=("-p",)
    ),
    "sshpass mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop useradd usermod groupadd"
    " groupmod cqlsh rdesktop psexec winrs ncftp ncftpput ncftpget": Takes(_whole("p")),
    "redis-cli valkey-cli": Takes(_whole("a", "pass"), words=frozenset({"auth"})),
    "curl": Takes(
        {"u": ":", "U": ":", "user": ":", "proxy-user": ":", "b": "=", "cookie": "="}
        | _whole("proxy-pass")
    ),
    "http https xh": Takes({"a": ":", "auth": ":"}),
    "ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare ldapmodrdn": Takes(
        _whole("w")
    ),
    "ldappasswd": Takes(_whole("w", "s", "a")),
    "sqlcmd bcp osql tsql ipmitool zip unzip zipcloak": Takes(_whole("P")),
    "7z 7za 7zr 7zz": Takes(attached=("-p",)),
    "rar unrar": Takes(attached=("-hp", "-p")),
    "ssh-keygen": Takes(_whole("N", "P")),
    "snmpwalk snmpget snmpset snmpgetnext snmpbulkwalk snmpbulkget snmptable snmptrap": Takes(
        _whole("c", "A", "X")
    ),
    "smbclient rpcclient smbget winexe net": Takes({"U": "%", "user": "%"}),
    "lftp": Takes({"u": ","}),
    "sqlplus rman expdp impdp sqlldr": Takes(login="/"),
    "openssl": Takes(_whole("k", "K")),
    "xfreerdp xfreerdp3 wlfreerdp": Takes(attached=("/p:",)),
    "nmcli": Takes(
        words=frozenset(
            {"password", "wifi-sec.psk", "802-11-wireless-security.psk", "psk"}
        )
    ),
    "aws": Takes(words=frozenset({"aws_secret_access_key", "aws_session_token"})),
    "ssh scp sftp rsync docker podman nerdctl buildah skopeo helm oc az htpasswd rabbitmqctl vault wpa_passphrase": NOTHING,
}
PROGRAMS = {name: takes for names, takes in _TABLE.items() for name in names.split()}
_SIGN_IN = (re.compile("login"), Takes(_whole("p")))
# What stands below a program and takes secrets by rules of its own.
BELOW = {
    **dict.fromkeys(
        ("docker", "podman", "nerdctl", "buildah", "skopeo", "helm", "oc", "az"),
        _SIGN_IN,
    ),
    "htpasswd": (re.compile(r"-\w{0,9}b\w{0,9}"), Takes(last=True)),
    "rabbitmqctl": (
        re.compile("add_user|change_password|authenticate_user"),
        Takes(last=True),
    ),
    "vault": (re.compile("login"), Takes(last=True)),
    "openssl": (re.compile("passwd"), Takes(last=True)),
    "mysqladmin": (re.compile("password"), Takes(attached=("-p",), last=True)),
}
# Programs that read a password from what is piped into them, and those that say it.
FED = re.compile(
    r"(?:^|[\s/])(?:chpasswd|chgpasswd|smbpasswd\s.{0,40}-\w*s|passwd\s.{0,40}--stdin|sudo\s.{0,40}-\w*S|kinit|cryptsetup)(?:\s|\Z)"
    r"|--password-stdin\b|--pass(?:phrase|word)?-(?:fd|file)[ =](?:0|-)(?:\s|\Z)"
)
SAYS = ("echo", "printf")
# Words that a secret follows wherever they stand: at the prompt of redis-cli too.
TOLD = frozenset({"requirepass", "masterauth"})
