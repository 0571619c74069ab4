"""The yardstick of the SSH lane: bare paramiko, a thread for each host of a pool, connect and `true`. Told on stdin, tells on stdout."""

import base64
import io
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import paramiko


def main() -> None:
    """Run on every place and print what it took."""
    told = json.load(sys.stdin)
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(told["key"]))
    began, before = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(told["forks"]) as threads:
        codes = list(
            threads.map(lambda place: _run(place, told["user"], key), told["places"])
        )
    seen = {
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - before,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "ok": codes.count(0),
    }
    json.dump(seen, sys.stdout)


def _run(place: list[Any], user: str, key: paramiko.PKey) -> int:
    _name, address, port, public = place
    host_key = paramiko.Ed25519Key(data=base64.b64decode(public.split()[1]))
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(f"[{address}]:{port}", "ssh-ed25519", host_key)
        client.connect(
            address,
            port,
            user,
            pkey=key,
            timeout=20,
            banner_timeout=60,
            auth_timeout=60,
            allow_agent=False,
            look_for_keys=False,
        )
        _stdin, stdout, _stderr = client.exec_command("true")
        return stdout.channel.recv_exit_status()


if __name__ == "__main__":
    main()
