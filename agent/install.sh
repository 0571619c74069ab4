#!/bin/sh
# Installs, upgrades and removes the AdminSet agent on this host: a venv, a configuration, a systemd unit.
# All of it is in functions and begins on the last line: half a download does nothing.
set -eu

# The portal that gives this script away fills these in; in a checkout they are empty.
PORTAL=''
PACKAGE=''
PACKAGE_SHA256=''

SERVICE=adminset-agent.service

usage() {
    cat <<'TEXT'
Usage, as root:

  curl -fsS https://PORTAL/agent/install.sh | ADMINSET_ENROLL_TOKEN=... sh
  curl -fsS https://PORTAL/agent/install.sh | sh -s -- --uninstall [--purge]
  sh agent/install.sh --server URL [--token-file FILE]     (in a checkout)

Running it again upgrades; a host that is enrolled needs no token for that.
The enrolment token comes from the environment variable ADMINSET_ENROLL_TOKEN,
from --token-file, or is asked for. It is never an argument.

  --server URL       address of the portal
  --ca-file FILE     certificate of the authority that signed the portal's
  --token-file FILE  file with the enrolment token
  --system-packages  use the psutil of the system, download none
  --force            enrol again although there is a credential
  --root DIR         put everything below DIR, to try it: no root, no service
  --uninstall        stop and remove the agent; keep its configuration and state
  --purge            with --uninstall: remove these too
TEXT
}

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

say() {
    printf '%s\n' "$1"
}

places() {
    HOME_DIR=$root/opt/adminset-agent
    CONFIG=$root/etc/adminset-agent.conf
    STATE_DIR=$root/var/lib/adminset-agent
    UNIT=$root/etc/systemd/system/$SERVICE
}

need_root() {
    [ -n "$root" ] || [ "$(id -u)" -eq 0 ] ||
        fail "This needs root: become root first, or try it with --root DIR."
}

has_systemd() {
    [ -z "$root" ] && [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1
}

check_python() {
    python=${PYTHON:-python3}
    command -v "$python" >/dev/null 2>&1 ||
        fail "There is no $python: install it with the package manager of this system, or name another by PYTHON=..."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' ||
        fail "This $python is $("$python" -V 2>&1): the agent needs Python 3.6 or newer."
}

find_source() {
    if [ -n "$PACKAGE" ]; then
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        download "$work" || exit 1
        source_dir=$work/${PACKAGE%.tar.gz}/agent
    else
        source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    fi
    [ -f "$source_dir/__main__.py" ] ||
        fail "$source_dir is not the agent's folder: run the install.sh that lies in it, or the one of the portal."
}

# Python is there anyway, and knows the same checksums on every system.
download() {
    say "Downloading $PORTAL/agent/$PACKAGE"
    "$python" -W ignore -c '
import hashlib, io, ssl, sys, tarfile, urllib.request
url, wanted, folder, authority = sys.argv[1:]
try:
    context = ssl.create_default_context(cafile=authority or None)
    data = urllib.request.urlopen(url, timeout=60, context=context).read(64 << 20)
except (OSError, ValueError) as error:
    sys.exit("The package could not be downloaded from %s: %s" % (url, error))
found = hashlib.sha256(data).hexdigest()
if found != wanted:
    sys.exit("The package is not the one that this script belongs to (SHA-256 %s, not %s): "
             "nothing was installed. Get install.sh again; if that does not help, "
             "something on the way changes what you download." % (found, wanted))
print("SHA-256 " + found + " is right.")
with tarfile.open(fileobj=io.BytesIO(data)) as package:
    package.extractall(folder)
' "$PORTAL/agent/$PACKAGE" "$PACKAGE_SHA256" "$1" "$ca_file"
}

copy_files() {
    mkdir -p "$HOME_DIR" || fail "$HOME_DIR cannot be made: is there room on the disk?"
    rm -rf "$HOME_DIR/agent.new"
    cp -R "$source_dir" "$HOME_DIR/agent.new"
    find "$HOME_DIR/agent.new" -name __pycache__ -type d -prune -exec rm -rf {} +
    rm -rf "$HOME_DIR/agent"
    mv "$HOME_DIR/agent.new" "$HOME_DIR/agent"
    if [ -f "$source_dir/../docs/agent.md" ]; then
        cp "$source_dir/../docs/agent.md" "$HOME_DIR/agent.md"
    fi
    [ -n "$root" ] || chown -R root:root "$HOME_DIR/agent"
    chmod -R u=rwX,go=rX "$HOME_DIR/agent"
    chmod 0755 "$HOME_DIR"
}

has_psutil() {
    "$HOME_DIR/venv/bin/python" -c 'import psutil' 2>/dev/null
}

# What the system has is used: its own updates care for it. Else pip brings it.
make_venv() {
    if [ ! -x "$HOME_DIR/venv/bin/pip" ]; then
        "$python" -m venv --without-pip --system-site-packages "$HOME_DIR/venv" >/dev/null 2>&1 ||
            fail "$python cannot make a venv: install its venv module (Debian: apt install python3-venv)."
        if has_psutil; then
            say "Using the psutil of this system."
            return
        fi
        [ "$system_packages" = no ] ||
            fail "psutil is missing: install python3-psutil, or leave out --system-packages."
    fi
    "$python" -m venv "$HOME_DIR/venv" >/dev/null 2>&1 ||
        fail "$python cannot make a venv with pip: install python3-psutil, or the venv module (Debian: apt install python3-venv)."
    pip_install psutil || newer_pip_install psutil || has_psutil ||
        fail "psutil could not be installed: check the network, or install python3-psutil."
}

pip_install() {
    "$HOME_DIR/venv/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary --upgrade "$1"
}

# The pip of an old Python may know no wheel of today.
newer_pip_install() {
    "$python" -c 'import sys; sys.exit(sys.version_info >= (3, 10))' &&
        pip_install 'pip<22' && pip_install "$1"
}

check_agent() {
    "$HOME_DIR/venv/bin/python" -m compileall -q "$HOME_DIR/agent"
    version=$(cd "$HOME_DIR" && venv/bin/python -m agent --version) ||
        fail "The agent does not run with this Python; the reason stands above."
}

write_config() {
    if [ -f "$CONFIG" ]; then
        say "$CONFIG exists and is kept."
        return
    fi
    mkdir -p "$(dirname -- "$CONFIG")"
    {
        printf '[agent]\nserver = %s\n' "$server"
        [ -z "$ca_file" ] || printf 'ca_file = %s\n' "$ca_file"
        [ -z "$root" ] || printf 'credential_file = %s\nspool_dir = %s\n' \
            "$STATE_DIR/credential.json" "$STATE_DIR/spool"
    } >"$CONFIG"
    chmod 0644 "$CONFIG"
    new_config=yes
}

enroll() {
    if [ -f "$STATE_DIR/credential.json" ] && [ "$force" = no ]; then
        say "This host is already enrolled; --force would enrol it again."
        return
    fi
    mkdir -p "$(dirname -- "$STATE_DIR")"
    [ -d "$STATE_DIR" ] || mkdir -m 0700 "$STATE_DIR"
    if ! ask_portal; then
        [ "$new_config" = no ] || rm -f "$CONFIG"
        fail "The host is not enrolled; the reason stands above. Mend it and run this again."
    fi
}

ask_portal() {
    set -- --config "$CONFIG" enroll --force
    [ -z "$server" ] || set -- "$@" --server "$server"
    cd "$HOME_DIR" || return 1
    if [ -n "$token_file" ]; then
        venv/bin/python -m agent "$@" --token-file "$token_file"
    elif [ -n "$token" ]; then
        ADMINSET_ENROLL_TOKEN=$token venv/bin/python -m agent "$@"
    elif [ "$from_file" = yes ] && [ ! -t 0 ]; then
        venv/bin/python -m agent "$@" --token-stdin
    elif (: </dev/tty) 2>/dev/null; then
        printf 'Enrolment token: ' >/dev/tty
        venv/bin/python -m agent "$@" --token-stdin </dev/tty
    else
        say "There is no enrolment token: make one in the portal and give it by ADMINSET_ENROLL_TOKEN or --token-file." >&2
        return 1
    fi
}

start_service() {
    if ! has_systemd; then
        say "systemd does not run here. Start the agent by hand, or by another supervisor:"
        say "  cd $HOME_DIR && venv/bin/python -m agent --config $CONFIG"
        return
    fi
    install -m 0644 "$HOME_DIR/agent/adminset-agent.service" "$UNIT"
    systemctl daemon-reload
    systemctl enable --quiet "$SERVICE"
    systemctl restart "$SERVICE" ||
        fail "The service does not start: see 'journalctl -u $SERVICE'."
    say "The agent runs; its log: journalctl -u $SERVICE"
}

uninstall() {
    if has_systemd && [ -f "$UNIT" ]; then
        systemctl disable --quiet --now "$SERVICE" || true
        rm -f "$UNIT"
        systemctl daemon-reload
    elif [ -d "$HOME_DIR" ]; then
        say "systemd does not run here: stop the agent by hand if it still runs."
    fi
    rm -rf "$HOME_DIR"
    if [ "$purge" = yes ]; then
        rm -rf "$STATE_DIR" "$root/var/lib/private/adminset-agent"
        rm -f "$CONFIG"
        say "The agent, its configuration and its state are removed. Revoke it in the portal too."
    else
        say "The agent is removed. $CONFIG and $STATE_DIR are kept; --purge removes them."
    fi
}

absolute() {
    [ -r "$1" ] || fail "The file $1 cannot be read: check the name given with $2."
    printf '%s/%s\n' "$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)" "$(basename -- "$1")"
}

below() {
    case $1 in
        *[!A-Za-z0-9/._-]*) fail "The folder $1 has characters that a configuration cannot hold: choose a plain one." ;;
    esac
    mkdir -p "$1" || fail "The folder $1 cannot be made: choose another with --root."
    (CDPATH='' cd -- "$1" && pwd)
}

options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --server | --ca-file | --token-file | --root)
                [ $# -ge 2 ] || fail "$1 needs a value: see --help."
                case $1 in
                    --server) server=$2 ;;
                    --ca-file) ca_file=$(absolute "$2" "$1") ;;
                    --token-file) token_file=$(absolute "$2" "$1") ;;
                    --root) root=$(below "$2") ;;
                esac
                shift
                ;;
            --system-packages) system_packages=yes ;;
            --force) force=yes ;;
            --uninstall) action=uninstall ;;
            --purge) purge=yes ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) fail "Unknown argument $1: see --help." ;;
        esac
        shift
    done
}

main() {
    server=$PORTAL ca_file="" token_file="" root="" version=""
    system_packages=no force=no action=install purge=no new_config=no from_file=no
    # Else this script itself comes by standard input.
    [ ! -f "$0" ] || from_file=yes
    # Only `enroll` is to see the token, not pip and the rest.
    token=${ADMINSET_ENROLL_TOKEN:-}
    unset ADMINSET_ENROLL_TOKEN
    options "$@"
    need_root
    places
    if [ "$action" = uninstall ]; then
        uninstall
        return
    fi
    if [ -z "$server" ] && [ ! -f "$CONFIG" ]; then
        fail "The portal's address is missing: add --server URL."
    fi
    check_python
    find_source
    copy_files
    make_venv
    check_agent
    write_config
    enroll
    say "Agent $version is in $HOME_DIR."
    start_service
}

main "$@"
