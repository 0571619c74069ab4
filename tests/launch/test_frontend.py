"""The front-end files: pinned, without addresses, and complete where they are served."""

import json
import re
from pathlib import Path

import pytest

from adminset.launch import frontend
from adminset.launch.config import ROOT
from adminset.launch.errors import LaunchError
from tests.launch.places import make_place

VENDOR = ROOT / "static" / "vendor"
NAMES = [
    "adminlte/css/adminlte.min.css",
    "adminlte/js/adminlte.min.js",
    "bootstrap/js/bootstrap.bundle.min.js",
    "fontawesome/css/all.min.css",
    "fontawesome/webfonts/fa-solid-900.woff2",
    "htmx/htmx.min.js",
    "tom-select/tom-select.bootstrap5.min.css",
    "tom-select/tom-select.complete.min.js",
    "uplot/uPlot.iife.min.js",
    "uplot/uPlot.min.css",
    "xterm/addon-fit.js",
    "xterm/addon-search.js",
    "xterm/addon-unicode11.js",
    "xterm/xterm.css",
    "xterm/xterm.js",
    "LICENSES.txt",
]


def test_the_lock_names_no_registry_and_a_hash_for_each_package() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = [package for name, package in packages.items() if name]
    assert installed
    assert all(package["integrity"].startswith("sha512-") for package in installed)
    assert not any("resolved" in package for package in installed)


def test_package_json_names_exact_versions_as_the_lock_does() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert locked[""]["dependencies"] == wanted
    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())
    assert wanted["htmx.org"].startswith("2.")


@pytest.mark.parametrize("name", NAMES)
def test_a_served_file_is_there(name: str) -> None:
    assert (VENDOR / name).stat().st_size > 100


def test_no_served_file_names_a_source_map() -> None:
    for file in VENDOR.rglob("*.*s"):
        assert b"sourceMappingURL" not in file.read_bytes(), file


def test_every_font_that_a_style_sheet_names_is_there() -> None:
    sheet = VENDOR / "fontawesome" / "css" / "all.min.css"
    fonts = set(re.findall(r"url\(([^)]+)\)", sheet.read_text()))
    assert fonts
    assert all((sheet.parent / font).is_file() for font in fonts)


def test_a_source_map_is_taken_out_and_nothing_else(tmp_path: Path) -> None:
    script, sheet = tmp_path / "a.js", tmp_path / "a.css"
    script.write_text("run();\n//# sourceMappingURL=a.js.map\n")
    sheet.write_text("a{b:c}\n/*# sourceMappingURL=a.css.map */")
    assert frontend._without_map(script) == b"run();\n"
    assert frontend._without_map(sheet) == b"a{b:c}"


def test_files_in_place_are_kept(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    for name in frontend.INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    stamp = tmp_path / "static" / "vendor" / ".stamp"
    wanted = frontend.stamps.of_files(tmp_path / name for name in frontend.INPUTS)
    frontend.stamps.write(stamp, wanted)
    assert frontend.bring(place) is False


def test_a_wheel_without_npm_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="apt install npm"):
        frontend._wheel_npm(tmp_path)
