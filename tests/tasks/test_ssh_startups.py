"""A server that turns connections away (MaxStartups) is asked again within the time-out of the connection."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.ssh.pool import POOL
from tasks.targets import Login, Target
from tests.farm import SshFarm
from tests.tasks.doors import run


def test_a_host_whose_sshd_takes_no_more_is_reached_when_it_does_again(
    tmp_path: Path,
) -> None:
    with SshFarm(1, tmp_path / "farm", extra="MaxStartups 2:100:2") as farm:
        host = farm.hosts[0]
        place = (host.address, host.port)
        # The farm's own look whether sshd is there may still count for a moment.
        holding: list[socket.socket] = []
        while len(holding) < 2:
            sock = socket.create_connection(place)
            holding.append(sock) if sock.recv(4) == b"SSH-" else sock.close()
        with socket.create_connection(place) as third:
            assert third.recv(4) != b"SSH-"
        with ThreadPoolExecutor(12) as threads:
            target = farm.target(host)
            options = {"connect_timeout": 20}
            ends = [threads.submit(run, target, "true", **options) for _ in range(12)]
            time.sleep(0.5)
            assert not any(end.done() for end in ends)
            for sock in holding:
                sock.close()
            assert [end.result()[0].status for end in ends] == ["ok"] * 12
    POOL.close()


def test_a_server_that_always_hangs_up_is_given_up_in_time() -> None:
    tries = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                tries.append(time.monotonic())
                caller.sendall(b"Exceeded MaxStartups\r\n")
                caller.close()

        threading.Thread(target=hang_up, daemon=True).start()
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
        login = Login("root", "x")
        target = Target("full", "127.0.0.1", server.getsockname()[1], login, key)
        began = time.monotonic()
        result, _ = run(target, "true", connect_timeout=2)
        server.shutdown(socket.SHUT_RDWR)
    assert result.status == "unreachable"
    assert "whether sshd there turns connections away" in result.explanation
    assert 1 < time.monotonic() - began < 4
    assert 3 <= len(tries) < 15
