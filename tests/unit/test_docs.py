"""The documents say what is true: links lead somewhere, and nothing public is left out."""

from __future__ import annotations

import doctest
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_tools import docs
from build_tools.dist import FIRST_VISIT
from build_tools.layers import LAYERS
from tracker.analytics import GETTERS, PUBLIC_METHODS
from tracker.settings import OPTIONS, PLANNED

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api.md"
OPTIONS_PAGE = ROOT / "docs" / "options.md"
FOLDERS = ("tracker", "loader", "collector", "build_tools", "examples", "benchmarks", "tests")

# a document of ours as messages, comments and docstrings name it
REFERENCE = re.compile(
    r"(?<![\w/.-])((?:docs/|dist/)?[\w-]+\.md)\b(?:#([\w-]+))?", re.ASCII | re.IGNORECASE
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
ANCHOR = re.compile(r'<a id="([^"]+)">')


def markdown_files() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "dist" / "README.md"]
    found += [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def sources() -> list[Path]:
    folders = [ROOT / name for name in ("tracker", "loader", "collector")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in paths if path.suffix in (".py", ".js", ".html")]


def prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    """Where a document can be linked to: its headings, and the anchors it sets itself."""
    text = prose(path)
    found: set[str] = set(ANCHOR.findall(text))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        name = slug(heading)
        copies = sum(other.rpartition("-")[0] == name or other == name for other in found)
        found.add(f"{name}-{copies}" if name in found else name)
    return found


def problem(target: Path, anchor: str | None) -> str | None:
    """Why a reference leads nowhere."""
    if not target.exists():
        return "there is no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{target.relative_to(ROOT)} has no heading #{anchor}"
    return None


def references(path: Path) -> Iterator[tuple[str, str | None]]:
    for match in REFERENCE.finditer(path.read_text(encoding="utf-8")):
        yield match[1], match[2]


def rows(path: Path) -> list[str]:
    """The first cells of all table rows."""
    cells = re.findall(r"^\| (.+?) \|", prose(path), re.MULTILINE)
    return [cell for cell in cells if not set(cell) <= set("-| ")]


def section(path: Path, title: str) -> str:
    """A second-level section of a document."""
    return path.read_text(encoding="utf-8").split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_a_heading_becomes_the_anchor_that_github_gives_it() -> None:
    assert slug("IP addresses and proxies") == "ip-addresses-and-proxies"
    assert slug("What `each` method returns?") == "what-each-method-returns"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_the_code_refers_to_is_there(path: Path) -> None:
    found = [(name, anchor, problem(ROOT / name, anchor)) for name, anchor in references(path)]
    assert [(name, anchor, why) for name, anchor, why in found if why] == []


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(path: Path) -> None:
    broken = []
    for link in LINK.findall(prose(path)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        why = problem((path.parent / name).resolve() if name else path, anchor or None)
        broken += [(link, why)] if why else []
    assert broken == []


@pytest.mark.parametrize("name", sorted({name.partition(".")[0].lower() for name in OPTIONS}))
def test_the_place_that_an_error_about_an_option_names_is_there(name: str) -> None:
    assert name in anchors(OPTIONS_PAGE)


def test_the_options_page_is_the_one_that_the_core_gives() -> None:
    written = OPTIONS_PAGE.read_text(encoding="utf-8")
    assert written == docs.render(), f"docs/options.md is outdated: run {docs.COMMAND}"


@pytest.mark.parametrize("name", sorted([*OPTIONS, *PLANNED]))
def test_every_option_is_documented(name: str) -> None:
    assert f"`{name}`" in OPTIONS_PAGE.read_text(encoding="utf-8")


def public_methods() -> list[str]:
    """What the loader puts on the global object, and what the core says it has."""
    stub = (ROOT / "loader" / "stub.js").read_text(encoding="utf-8")
    lists = re.findall(r"^const (?:METHODS|LATER) =([^;]+);", stub, re.MULTILINE)
    assert len(lists) == 2
    words = " ".join(lists).replace("'", " ").replace("+", " ").split()
    assigned = re.findall(r"^  target\.(\w+) = ", stub, re.MULTILINE)
    return sorted({*PUBLIC_METHODS, *assigned, *words})


@pytest.mark.parametrize("name", public_methods())
def test_every_method_is_in_the_method_table(name: str) -> None:
    table = section(API, "What each method returns")
    assert re.search(rf"[`.(]{name}\(", table), f"{name} is missing in the table of docs/api.md"


@pytest.mark.parametrize("name", sorted(GETTERS))
def test_every_getter_is_in_the_method_table(name: str) -> None:
    call = name.replace(".", "().") + "("
    assert call in section(API, "What each method returns")


def listener_events() -> list[str]:
    """The events that the core emits, by name or through `report`."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tracker").rglob("*.py"))
    named = re.findall(r'(?:emit|report)\(\s*"(\w+)"', code)
    calls = re.findall(r'_event\(loaded, call, "(\w+)"', code)
    return sorted({*named, *calls, "page", "screen"})


def test_the_core_emits_what_it_always_did() -> None:
    assert {"initialize", "track", "delivered", "retry", "dropped", "error"} <= set(
        listener_events()
    )


@pytest.mark.parametrize("name", listener_events())
def test_every_event_of_on_is_documented(name: str) -> None:
    assert f"`{name}`" in section(API, "events")


def error_messages() -> list[str]:
    code = {path: path.read_text(encoding="utf-8") for path in sources()}
    found: set[str] = set()
    for path, text in code.items():
        if path.suffix == ".py" and path.is_relative_to(ROOT / "tracker"):
            named = re.findall(r'(?:TrackerError|super\(\).__init__)\(\s*"([A-Z][^"]+)"', text)
            found |= {re.sub("^Invalid option .*", "Invalid option NAME", name) for name in named}
        if path.suffix == ".js":
            found |= set(re.findall(r"\b(?:warn|fail)\('([A-Z][^']+)'", text))
    return sorted(found)


@pytest.mark.parametrize("message", error_messages())
def test_every_error_is_documented(message: str) -> None:
    assert f"`{message}`" in section(API, "errors")


def test_the_examples_in_the_testing_guide_do_what_they_say() -> None:
    result = doctest.testfile(str(ROOT / "docs" / "testing.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_of_tests_is_described(name: str) -> None:
    assert f"`{name}`" in rows(ROOT / "CONTRIBUTING.md")


def test_the_readme_tells_the_real_sizes() -> None:
    manifest = ROOT / "dist" / "manifest.json"
    if not manifest.exists():
        pytest.skip("nothing is built")
    files = json.loads(manifest.read_text())["files"]
    first_visit = [name for name in files if name.startswith(FIRST_VISIT)]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.search(r"about ([\d.]+) MB \(brotli\), ([\d.]+) MB \(gzip\), ([\d.]+) MB", readme)
    assert told, "README.md has no figures for the first visit"
    for number, kind in zip(told.groups(), ("brotli", "gzip", "bytes"), strict=True):
        real = sum(files[name][kind] for name in first_visit) / 1e6
        assert abs(float(number) - real) <= 0.1, (
            f"{kind}: README.md says {number}, it is {real:.2f}"
        )
