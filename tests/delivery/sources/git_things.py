"""A git repository with a history: a thousand commits within a second."""

from __future__ import annotations

import subprocess
from pathlib import Path


def write_history(folder: Path, file: str, commits: int = 1000) -> None:
    """Commit to main what a file says: "1", "2", and so on; each hundredth has a tag, v1.1 and so on."""
    stream = "".join(
        f"commit refs/heads/main\ncommitter Ann <a@t.example> {1_700_000_000 + n} +0000\n"
        f"data <<.\nchange {n}\n.\nM 644 inline {file}\ndata <<.\n{n}\n.\n"
        + (
            f"reset refs/tags/v1.{n // 100}\nfrom refs/heads/main\n"
            if n % 100 == 0
            else ""
        )
        for n in range(1, commits + 1)
    )
    feed = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(feed, cwd=folder, input=stream, text=True, check=True)
