"""Open files of the whole host."""

from pathlib import Path

from agent.collectors.series import Field, Reading, Values, percent

FILE_NR = "/proc/sys/fs/file-nr"
# The kernel says 2**63 - 1 for "no limit": a share of that means nothing.
NO_LIMIT = 1 << 62
FIELDS = (
    Field("files.open", "files", "file handles in use"),
    Field("files.most", "files", "file handles there may be; absent without a limit"),
    Field("files.open_percent", "%", "in use of the limit"),
)


def collect() -> Reading:
    used, unused, most = map(int, Path(FILE_NR).read_text().split()[:3])
    values: Values = {"files.open": used - unused}
    if 0 < most < NO_LIMIT:
        values["files.most"] = most
        values["files.open_percent"] = percent(used - unused, most)
    return Reading(values, {})
