"""The rules that come with the portal: made once, when a portal is prepared; what people change or delete stays so."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from adminset import audit
from adminset.models import AuditEntry
from tasks.models import GuardRule

Action = GuardRule.Action
LOW, HIGH = 1, 2


@dataclass(frozen=True)
class ShippedRule:
    """A rule as it is shipped."""

    name: str
    description: str
    patterns: str
    action: str = Action.CONFIRM
    risk: int = HIGH
    critical: bool = False


WHOLE_SYSTEM = """\
# Everything, and what a system cannot be without.
rm -r /
rm -r /bin
rm -r /boot
rm -r /dev
rm -r /etc
rm -r /lib
rm -r /lib64
rm -r /sbin
rm -r /usr
rm -r /var
rm -r /var/lib
rm -r /root
rm -r /home
rm --no-preserve-root
chmod -R * /
chmod -R * /etc
chmod -R * /usr
chown -R * /
chown -R * /etc
chown -R * /usr
mv / *
mv /etc *
mv /usr *
"""
DISKS = """\
mkfs
mkfs.*
mkswap
wipefs
blkdiscard
dd of=/dev/sd*
dd of=/dev/nvme*
dd of=/dev/vd*
dd of=/dev/xvd*
dd of=/dev/hd*
dd of=/dev/mmcblk*
dd of=/dev/md*
dd of=/dev/dm-*
dd of=/dev/mapper/*
dd of=/dev/disk/*
shred /dev/*
> /dev/sd*
tee /dev/sd*
cp * /dev/sd*
> /dev/nvme*
tee /dev/nvme*
cp * /dev/nvme*
> /dev/vd*
tee /dev/vd*
cp * /dev/vd*
> /dev/xvd*
tee /dev/xvd*
cp * /dev/xvd*
> /dev/mapper/*
tee /dev/mapper/*
cp * /dev/mapper/*
sfdisk --delete
sgdisk -Z
sgdisk --zap-all
parted * mklabel
parted * rm
lvremove
vgremove
pvremove
zpool destroy
cryptsetup luksFormat
hdparm --security-erase
# From the root on.
find / -delete
"""
STOPS = """\
shutdown
reboot
halt
poweroff
init 0
init 6
telinit 0
telinit 6
systemctl reboot
systemctl poweroff
systemctl halt
systemctl kexec
systemctl rescue
systemctl emergency
kill -9 -1
kill -KILL -1
> /proc/sysrq-trigger
tee /proc/sysrq-trigger
"""
FORK_BOMB = """\
/\\S+\\s*\\(\\)\\s*\\{[^}]*\\|[^}]*&\\s*\\}\\s*;/
"""
NETWORK = """\
iptables -F
iptables --flush
iptables -P * DROP
ip6tables -F
nft flush ruleset
firewall-cmd --panic-on
ufw reset
ip link set * down
ip route flush *
ip addr flush *
ifdown *
ifconfig * down
systemctl stop ssh*
systemctl stop networking
systemctl stop NetworkManager
systemctl stop systemd-networkd
systemctl disable ssh*
service sshd stop
service ssh stop
nmcli networking off
"""
ACCOUNTS = """\
userdel *
groupdel *
passwd root
passwd -d *
passwd -l root
usermod -L root
usermod -s * root
chpasswd
crontab -r
> /etc/passwd
> /etc/shadow
> /etc/group
> /etc/sudoers
> /etc/fstab
tee /etc/passwd
tee /etc/shadow
tee /etc/sudoers
"""
TRACES = """\
history -c
history -w
unset HISTFILE
export HISTFILE=*
set +o history
> */.bash_history
> .bash_history
rm */.bash_history
rm .bash_history
shred */.bash_history
ln -s /dev/null */.bash_history
journalctl --vacuum-time
journalctl --vacuum-size
journalctl --rotate
rm -r /var/log
rm /var/log/*
> /var/log/*
truncate * /var/log/*
auditctl -e 0
auditctl -D
systemctl stop auditd
systemctl stop rsyslog
setenforce 0
"""
DATA = """\
dropdb *
mysqladmin drop *
/(?i)\\b(drop|truncate)\\s+(database|schema|table)\\b/
redis-cli FLUSHALL
redis-cli FLUSHDB
kubectl delete namespace
kubectl delete ns
kubectl delete --all
docker system prune
docker volume prune
docker volume rm *
terraform destroy
"""
UNSEEN = """\
# What is typed inside of these, or what they run, is not seen by the guard.
@hidden
tmux
screen
byobu
"""
RULES = (
    ShippedRule(
        "Whole system",
        "Deletes, moves or opens up what the system cannot be without.",
        WHOLE_SYSTEM,
        Action.REFUSE,
    ),
    ShippedRule(
        "Fork bomb",
        "A function that starts itself without end.",
        FORK_BOMB,
        Action.REFUSE,
    ),
    ShippedRule(
        "Disks and file systems",
        "Makes file systems, overwrites disks, takes volumes away, deletes from the root on.",
        DISKS,
    ),
    ShippedRule("Stops the host", "Ends or restarts the host.", STOPS),
    ShippedRule(
        "Locks you out", "Takes away the network or the door to the host.", NETWORK
    ),
    ShippedRule(
        "Accounts and passwords",
        "Deletes accounts, changes root's password, writes over account files, takes a crontab away.",
        ACCOUNTS,
    ),
    ShippedRule("Databases and clusters", "Drops data as a whole.", DATA),
    ShippedRule(
        "Traces",
        "Deletes histories and logs, stops what writes them.",
        TRACES,
        Action.WARN,
    ),
    ShippedRule(
        "Out of sight",
        "On critical hosts: runs what the guard cannot read.",
        UNSEEN,
        Action.NOTIFY,
        LOW,
        critical=True,
    ),
)


def prepare(actor: Any) -> None:
    """Make the shipped rules where the portal never had a rule: not where people deleted them all."""
    with transaction.atomic():
        if GuardRule.objects.exists() or _had_rules():
            return
        for shipped in RULES:
            row = GuardRule.objects.create(
                name=shipped.name,
                description=shipped.description,
                patterns=shipped.patterns,
                action=shipped.action,
                risk=shipped.risk,
                critical=shipped.critical,
            )
            changes = audit.changed({}, audit.snapshot(row))
            audit.record(actor, "guardrule.create", row, changes=changes)


def _had_rules() -> bool:
    """Say whether the trail knows of a rule."""
    return AuditEntry.objects.filter(target_type=GuardRule._meta.label_lower).exists()
