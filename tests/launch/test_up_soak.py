"""The whole portal by `make up`, twice on the same data: nothing left behind, nothing lost."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adminset.launch import processes
from tests.launch import soak


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="adminset-"))
    yield folder
    processes.kill_all(str(folder))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(600)
def test_two_starts_leave_no_process_and_keep_the_data(data: Path) -> None:
    first, second = soak.run(2, data)
    assert first.users == second.users == 1
    assert first.password_told
    assert not second.password_told
    credential = data / "agent" / "credential"
    assert credential.stat().st_mode & 0o777 == 0o600
    assert json.loads(credential.read_text())["agent_id"]
