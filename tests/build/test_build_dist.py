import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from build_tools import compress, dist
from build_tools.bundle import fill_snippet
from build_tools.commands import BuildError
from build_tools.runtime import with_dependencies

TEXT = "every page that includes it " * 100


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    sources = {
        "pyodide-1/pyodide.mjs": tmp_path / "pyodide.mjs",
        "loader.js": tmp_path / "loader.js",
        "start.js": tmp_path / "start.js",
        "snippet.html": tmp_path / "snippet.html",
    }
    for path in sources.values():
        path.write_text(f"{path.name} {TEXT}")
    sources["snippet.html"].write_text("<script></script>")
    return sources


@pytest.fixture
def cache(tmp_path: Path, files: dict[str, Path]) -> Path:
    folder = tmp_path / "work" / "compressed"
    compress.main(folder, files.values())
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "README.md").write_text("how to host it")
    return folder


def listing(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_compressed_forms_are_kept_by_content(files: dict[str, Path], cache: Path) -> None:
    assert compress.is_compressed(files.values(), cache)
    loader = files["loader.js"]
    assert gzip.decompress(compress.compressed(loader, ".gz", cache).read_bytes()) == (
        loader.read_bytes()
    )
    loader.write_text("changed")
    assert not compress.is_compressed(files.values(), cache)


def test_it_holds_the_files_their_compressed_siblings_and_the_readme(
    files: dict[str, Path], cache: Path, target: Path
) -> None:
    dist.assemble(files, target, cache)
    assert listing(target) == [
        "README.md",
        "loader.js",
        "loader.js.br",
        "loader.js.gz",
        "manifest.json",
        "pyodide-1/pyodide.mjs",
        "pyodide-1/pyodide.mjs.br",
        "pyodide-1/pyodide.mjs.gz",
        "snippet.html",
        "start.js",
        "start.js.br",
        "start.js.gz",
    ]


def test_stale_files_and_folders_go_and_unchanged_ones_are_not_touched(
    files: dict[str, Path], cache: Path, target: Path
) -> None:
    dist.assemble(files, target, cache)
    before = (target / "loader.js").stat().st_ino
    (target / "pyodide-0").mkdir()
    (target / "pyodide-0" / "pyodide.mjs").write_text("old")
    (target / "old.whl").write_text("old")
    dist.assemble(files, target, cache)
    assert not (target / "pyodide-0").exists()
    assert not (target / "old.whl").exists()
    assert (target / "loader.js").stat().st_ino == before
    assert not (cache.parent / "dist-next").exists()


def test_the_manifest_tells_sizes_and_hashes(
    files: dict[str, Path], cache: Path, target: Path
) -> None:
    dist.assemble(files, target, cache)
    manifest = json.loads((target / "manifest.json").read_text())
    loader = manifest["files"]["loader.js"]
    assert loader["bytes"] == (target / "loader.js").stat().st_size
    assert loader["brotli"] == (target / "loader.js.br").stat().st_size
    assert loader["gzip"] == (target / "loader.js.gz").stat().st_size
    assert loader["integrity"].startswith("sha384-")
    snippet, start = (manifest["files"][name] for name in ("snippet.html", "start.js"))
    assert manifest["page_bytes_brotli"] == max(
        loader["brotli"], snippet["brotli"] + start["brotli"]
    )


def test_a_loader_over_the_budget_stops_the_build_and_leaves_dist_alone(
    files: dict[str, Path], cache: Path, target: Path
) -> None:
    noise = "".join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(400))
    files["loader.js"].write_text(noise)
    compress.main(cache, files.values())
    with pytest.raises(BuildError, match=r"would run \d+ bytes .*; 5120 are allowed"):
        dist.assemble(files, target, cache)
    assert listing(target) == ["README.md"]


def test_clean_leaves_only_the_readme(files: dict[str, Path], cache: Path, target: Path) -> None:
    dist.assemble(files, target, cache)
    dist.clean(target)
    assert listing(target) == ["README.md"]
    assert list(target.iterdir()) == [target / "README.md"]


def test_the_lock_file_for_tests_holds_what_its_packages_need() -> None:
    packages: dict[str, Any] = {
        "micropip": {"depends": ["Packaging"]},
        "packaging": {"depends": []},
        "numpy": {"depends": []},
        "tblib": {"depends": []},
    }
    assert sorted(with_dependencies(packages, ("micropip", "tblib"))) == [
        "micropip",
        "packaging",
        "tblib",
    ]


def test_the_snippet_keeps_what_site_owners_fill_in_readable() -> None:
    template = "<script>/* __VERSION__ */ __STUB__ stub.create('/tracker/loader.js')</script>"
    assert fill_snippet(template, "var stub=1;\n", "1.2.3") == (
        "<script>/* 1.2.3 */ var stub=1; stub.create('/tracker/loader.js')</script>"
    )


def test_a_snippet_without_a_place_for_the_code_is_refused() -> None:
    with pytest.raises(BuildError, match=r"snippet\.html has __STUB__ 0 times"):
        fill_snippet("<script>__VERSION__</script>", "", "1.2.3")
