"""An hour of an agent in seconds; `make soak agent_day` lives through a whole day."""

from pathlib import Path

import pytest

from tests.agent import day


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_an_hour_leaves_no_thread_no_file_and_no_memory_behind():
    report = day.run(1)
    assert day.faults(report) == []
    assert report["samples"] >= 200
    assert report["cpu_share"] < 0.01


def test_what_grew_is_told():
    small = {"rss": 20 << 20, "threads": 1, "files": 6}
    large = {"rss": 40 << 20, "threads": 2, "files": 60}
    told = day.faults({"settled": small, "end": large, "left": 99})
    assert len(told) == 5
