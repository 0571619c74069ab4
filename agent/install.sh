#!/bin/sh
# Installs the AdminSet agent on this host: a venv, a configuration, a systemd unit.
set -eu

HOME_DIR=/opt/adminset-agent
CONFIG=/etc/adminset-agent.conf
STATE_DIR=/var/lib/adminset-agent
UNIT=/etc/systemd/system/adminset-agent.service
SERVICE=adminset-agent.service

usage() {
    cat <<'TEXT'
Usage, as root, from the folder that contains agent/:

  sh agent/install.sh --server URL [--ca-file FILE] [--token-file FILE] [--force]
  sh agent/install.sh --uninstall [--purge]

The enrolment token comes from --token-file, from the environment variable
ADMINSET_ENROLL_TOKEN, or is read from standard input. It is never an argument.

  --server URL       address of the portal
  --ca-file FILE     certificate of the authority that signed the portal's
  --token-file FILE  file with the enrolment token
  --system-packages  use the psutil and requests of the system, download nothing
  --force            enrol again although there is a credential
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

need_root() {
    [ "$(id -u)" -eq 0 ] || fail "This needs root: run it with sudo."
}

has_systemd() {
    [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1
}

check_python() {
    command -v python3 >/dev/null 2>&1 ||
        fail "There is no python3: install it with the package manager of this system."
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 6))' ||
        fail "The python3 here is $(python3 -V 2>&1): the agent needs Python 3.6 or newer."
}

copy_files() {
    source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    [ -f "$source_dir/__main__.py" ] ||
        fail "$source_dir is not the agent's folder: run the install.sh that lies in it."
    mkdir -p "$HOME_DIR" || fail "$HOME_DIR cannot be made: is there room on the disk?"
    rm -rf "$HOME_DIR/agent.new"
    cp -R "$source_dir" "$HOME_DIR/agent.new"
    find "$HOME_DIR/agent.new" -name __pycache__ -type d -prune -exec rm -rf {} +
    rm -rf "$HOME_DIR/agent"
    mv "$HOME_DIR/agent.new" "$HOME_DIR/agent"
    if [ -f "$source_dir/../docs/agent.md" ]; then
        cp "$source_dir/../docs/agent.md" "$HOME_DIR/agent.md"
    fi
    chown -R root:root "$HOME_DIR/agent"
    chmod -R u=rwX,go=rX "$HOME_DIR/agent"
    chmod 0755 "$HOME_DIR"
}

make_venv() {
    options=""
    [ "$system_packages" = no ] || options=--system-site-packages
    # shellcheck disable=SC2086
    python3 -m venv $options "$HOME_DIR/venv" >/dev/null 2>&1 ||
        fail "python3 cannot make a venv: install its venv module (Debian: apt install python3-venv)."
    if ! "$HOME_DIR/venv/bin/python" -c 'import psutil, requests' 2>/dev/null; then
        [ "$system_packages" = no ] ||
            fail "psutil or requests is missing: install python3-psutil and python3-requests, or leave out --system-packages."
        "$HOME_DIR/venv/bin/python" -m pip install --quiet --prefer-binary psutil requests ||
            fail "psutil and requests could not be installed: check the network, or install python3-psutil and python3-requests and add --system-packages."
    fi
    "$HOME_DIR/venv/bin/python" -m compileall -q "$HOME_DIR/agent"
}

write_config() {
    if [ -f "$CONFIG" ]; then
        say "$CONFIG exists and is kept."
        return
    fi
    {
        printf '[agent]\nserver = %s\n' "$server"
        [ -z "$ca_file" ] || printf 'ca_file = %s\n' "$ca_file"
    } >"$CONFIG"
    chmod 0644 "$CONFIG"
    new_config=yes
}

enroll() {
    if [ -f "$STATE_DIR/credential.json" ] && [ "$force" = no ]; then
        say "This host is already enrolled; --force would enrol it again."
        return
    fi
    [ -d "$STATE_DIR" ] || mkdir -m 0700 "$STATE_DIR"
    set -- --force
    [ -z "$server" ] || set -- "$@" --server "$server"
    if [ -n "$token_file" ]; then
        set -- "$@" --token-file "$token_file"
    elif [ -z "${ADMINSET_ENROLL_TOKEN:-}" ]; then
        [ ! -t 0 ] || printf 'Enrolment token: ' >&2
        set -- "$@" --token-stdin
    fi
    if ! (cd "$HOME_DIR" && venv/bin/python -m agent --config "$CONFIG" enroll "$@"); then
        [ "$new_config" = no ] || rm -f "$CONFIG"
        fail "The host is not enrolled; the reason stands above. Mend it and run this again."
    fi
}

install_unit() {
    if ! has_systemd; then
        say "systemd does not run here: start '$HOME_DIR/venv/bin/python -m agent' in $HOME_DIR by another supervisor."
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
    fi
    rm -rf "$HOME_DIR"
    if [ "$purge" = yes ]; then
        rm -rf "$STATE_DIR" /var/lib/private/adminset-agent
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

server="" ca_file="" token_file=""
system_packages=no force=no action=install purge=no new_config=no

while [ $# -gt 0 ]; do
    case $1 in
        --server | --ca-file | --token-file)
            [ $# -ge 2 ] || fail "$1 needs a value: see --help."
            case $1 in
                --server) server=$2 ;;
                --ca-file) ca_file=$(absolute "$2" "$1") ;;
                --token-file) token_file=$(absolute "$2" "$1") ;;
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

need_root
if [ "$action" = uninstall ]; then
    uninstall
    exit 0
fi
if [ -z "$server" ] && [ ! -f "$CONFIG" ]; then
    fail "The portal's address is missing: add --server URL."
fi
check_python
copy_files
make_venv
write_config
enroll
install_unit
