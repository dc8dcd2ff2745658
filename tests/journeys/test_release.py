"""People who do not build: the files of a release, hosted by a plain web server."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from build_tools.environment import esbuild, node
from build_tools.paths import ROOT, tracker_version
from build_tools.release import NPM, RELEASE, folder
from collector.testing import Tracked
from tests.journeys.serving import HOSTS, ForOthers, serving

ZIP = RELEASE / f"pyodide-tracker-{tracker_version()}.zip"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with the zip of a release unpacked in a folder of it."""
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(tmp_path / "static" / "js")
    return tmp_path


def snippet(place: str, tracked: Tracked) -> str:
    """The tag of the release, with its folder's address, and a key and a collector."""
    with zipfile.ZipFile(ZIP) as archive:
        text = archive.read(f"{folder()}/snippet.html").decode()
    assert f'"/{folder()}/start.js"' in text
    text = text.replace(f"/{folder()}/", f"{place}/{folder()}/")
    options = json.dumps({"apiHost": f"{tracked.url}/v1"})
    return "<!doctype html>" + text.replace('load("YOUR_WRITE_KEY")', f'load("wk", {options})')


@pytest.mark.parametrize("host", HOSTS)
def test_it_works_in_any_folder_of_a_plain_server(
    host: str, site: Path, visit: Callable[..., Page], tracked: Tracked
) -> None:
    (site / "page.html").write_text(snippet("/static/js", tracked))
    with serving(site) as url:
        page = visit(HOSTS[host])
        page.goto(f"{url}/page.html")
        tracked.expect(type="page", count=1, timeout=30)
        page.evaluate("() => cioanalytics.track('A') && undefined")
        tracked.settled(page)
        tracked.expect(name="A", count=1)


@pytest.mark.parametrize("host", ["worker", "page"])  # no worker is shared by two origins
def test_it_works_from_another_origin(
    host: str, site: Path, visit: Callable[..., Page], tracked: Tracked, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with serving(site, ForOthers) as files, serving(own) as url:
        (own / "page.html").write_text(snippet(f"{files}/static/js", tracked))
        page = visit(HOSTS[host])
        page.goto(f"{url}/page.html")
        tracked.expect({"properties": {"path": "/page.html"}}, type="page", count=1, timeout=30)


def test_an_upgrade_and_the_way_back_lose_nothing(
    site: Path, visit: Callable[..., Page], tracked: Tracked
) -> None:
    files = site / "static" / "js"
    (files / folder()).rename(files / "web-0.0.9")
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(files)
    new = snippet("/static/js", tracked)
    page = visit()
    with serving(site) as url:
        for number, text in enumerate([new.replace(folder(), "web-0.0.9"), new] * 2):
            (site / "page.html").write_text(text)
            page.goto(f"{url}/page.html")
            if number == 0:
                tracked.settled(page)  # from here on the visitor is known
            # before anything is there, and left at once: the next page has to deliver it
            page.evaluate(f"() => cioanalytics.track('T{number}') && undefined")
        tracked.settled(page, timeout=60)
    assert sorted(event["event"] for event in tracked.events(type="track")) == [
        *("T0", "T1", "T2", "T3")
    ]
    assert len({event["anonymousId"] for event in tracked.events()}) == 1


def test_the_checksums_are_right(tmp_path: Path) -> None:
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(tmp_path)
    for place in (RELEASE, tmp_path / folder()):
        lines = (place / "SHA256SUMS").read_text().splitlines()
        named = {name: sum_ for sum_, _, name in (line.partition("  ") for line in lines)}
        there = {path for path in place.rglob("*") if path.is_file()}
        assert {place / name for name in named} == there - {place / "SHA256SUMS"}
        for name, sum_ in named.items():
            assert hashlib.sha256((place / name).read_bytes()).hexdigest() == sum_, name


def test_file_names_tell_nothing() -> None:
    with zipfile.ZipFile(ZIP) as archive:
        for name in archive.namelist():
            assert not re.search(r"track|analytic|event|customer|snowplow|pixel|beacon", name)


def test_there_is_one_version_number() -> None:
    version = tracker_version()
    with zipfile.ZipFile(ZIP) as archive:
        manifest = json.loads(archive.read(f"web-{version}/manifest.json"))
        assert f"pyodide-tracker {version}" in archive.read(f"web-{version}/snippet.html").decode()
    assert manifest["version"] == version
    assert json.loads((NPM / "package.json").read_text())["version"] == version
    assert {path.name for path in RELEASE.iterdir()} == {
        "SHA256SUMS",
        f"pyodide-tracker-{version}.zip",
        f"pyodide_tracker-{version}-py3-none-any.whl",
        f"pyodide_tracker-{version}.tar.gz",
    }
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def installed(place: Path) -> Path:
    """A project that has the npm package."""
    package = place / "node_modules" / "pyodide-tracker"
    package.parent.mkdir(parents=True)
    package.symlink_to(NPM)
    (place / "package.json").write_text('{"type": "module"}')
    return place


def test_the_npm_package_works_in_a_bundled_page(
    tmp_path: Path, visit: Callable[..., Page], tracked: Tracked
) -> None:
    project = installed(tmp_path)
    (project / "main.js").write_text(
        "import { load } from 'pyodide-tracker';\n"
        f"const one = load('wk', {{ apiHost: '{tracked.url}/v1' }}, '/files');\n"
        "const two = load('wk', {}, '/files/');\n"
        "one.track('Same', { same: one === two }); one.page();"
    )
    command = [str(esbuild()), "main.js", "--bundle", "--outfile=site/main.js"]
    subprocess.run(command, cwd=project, check=True)
    (project / "site" / "files").symlink_to(NPM / "assets")
    (project / "site" / "page.html").write_text("<!doctype html><script src=main.js></script>")
    with serving(project / "site") as url:
        page = visit()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}/page.html")
        tracked.expect({"properties": {"same": True}}, name="Same", count=1, timeout=30)
        tracked.expect(type="page", count=1)
        assert errors == []


def test_the_npm_package_does_nothing_on_a_server(tmp_path: Path) -> None:
    project = installed(tmp_path)
    (project / "server.js").write_text(
        "import { load } from 'pyodide-tracker';\n"
        "const it = load('wk');\n"
        "const done = [await it.track('A'), await it.ready()];\n"
        "done.push(it.user().id(), it.group().traits());\n"
        "const same = it.on('error', () => {}).debug(true) === it && (await it) === it;\n"
        "it.page(); it.trackPageView(); it.push(['track', 'A']);\n"
        "console.log(JSON.stringify([...done, same]));"
    )
    run = [node(), "server.js"]
    done = subprocess.run(run, cwd=project, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [None, None, None, {}, True]
