"""`dist/`: put together, measured against the budget, and swapped in."""

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from build_tools import bundle
from build_tools.bundle import (
    EXTRAS,
    HOST,
    LATE,
    LOADER,
    SNIPPET,
    START,
    plugins_folder,
    pyodide_folder,
)
from build_tools.commands import BuildError
from build_tools.compress import ENCODINGS, compress_all, compressed, is_compressed
from build_tools.environment import npm_packages, python_environment
from build_tools.images import CORE, LIBRARY, PLUGINS, start_images, wheel
from build_tools.paths import COMPRESSED, DIST, ROOT, STAMPS, npm_version, tracker_version
from build_tools.runtime import files_for_plugins, runtime_files, runtime_for_plugins
from build_tools.steps import Step, digest, stamped
from build_tools.wheel import core_wheel

MANIFEST = "manifest.json"
TRACKED = ("README.md",)  # what in dist/ is not built
BESIDE = ("release", "npm")  # what `release` puts there
PAGE_BUDGET = 5 * 1024  # brotli bytes of ours that run in the page
# a page runs the files of one of these ways to include the tracker
PAGE_FILES = (("loader.js",), ("snippet.html", "start.js"))
FIRST_VISIT = ("loader.js", "late.js", "host.js", "core.zip", "python_stdlib.zip", "pyodide-")
FIRST_VISIT_BUDGET = 4_500_000  # brotli bytes that a first visit downloads
SMALLEST_COMPRESSED = 1024  # smaller files fit into one packet anyway


def build_steps() -> list[Step]:
    """Everything that `python3 build.py` does."""
    return [
        python_environment(),
        npm_packages(),
        core_wheel(),
        start_images(),
        runtime_for_plugins(),
        bundle.loader_bundle(),
        Step(
            "compression",
            lambda runner: compress_all(runner, sources().values()),
            lambda: is_compressed(sources().values()),
        ),
        stamped(
            "dist/",
            lambda _: assemble(sources(), DIST),
            stamp=STAMPS / "dist",
            inputs=lambda: digest(*sources().values(), *sources(), Path(__file__)),
            products=lambda: [DIST / MANIFEST, *(DIST / name for name in sources())],
        ),
    ]


def sources() -> dict[str, Path]:
    """What goes into `dist/`, by its name there."""
    runtime = {pyodide_folder() + name: path for name, path in runtime_files().items()}
    runtime |= {plugins_folder() + name: path for name, path in files_for_plugins().items()}
    # In this order, so that a page never gets a loader whose core is not there yet.
    return {
        **runtime,
        LIBRARY.name: LIBRARY,
        CORE.name: CORE,
        PLUGINS.name: PLUGINS,
        wheel().name: wheel(),
        "LICENSE": ROOT / "LICENSE",
        "extras.js": EXTRAS,
        "late.js": LATE,
        "host.js": HOST,
        "loader.js": LOADER,
        "start.js": START,
        "snippet.html": SNIPPET,
    }


def describe(files: Mapping[str, Path], cache: Path = COMPRESSED) -> dict[str, Any]:
    """The manifest: versions, sizes, and hashes for `integrity` attributes."""
    described: dict[str, dict[str, Any]] = {}
    for name, path in sorted(files.items()):
        content = path.read_bytes()
        sha384 = base64.b64encode(hashlib.sha384(content).digest()).decode()
        described[name] = {
            "bytes": len(content),
            "brotli": compressed(path, ".br", cache).stat().st_size,
            "gzip": compressed(path, ".gz", cache).stat().st_size,
            "integrity": f"sha384-{sha384}",
        }
    return {
        "version": tracker_version(),
        "pyodide": npm_version("pyodide"),
        "page_bytes_brotli": max(
            sum(described[name]["brotli"] for name in names) for names in PAGE_FILES
        ),
        "first_visit_bytes_brotli": sum(
            facts["brotli"] for name, facts in described.items() if name.startswith(FIRST_VISIT)
        ),
        "files": described,
    }


def check_budget(manifest: Mapping[str, Any]) -> None:
    """Refuse a loader that has grown too heavy for other people's pages."""
    total = manifest["page_bytes_brotli"]
    if total > PAGE_BUDGET:
        sizes = {name: manifest["files"][name]["brotli"] for name in chain(*PAGE_FILES)}
        parts = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise BuildError(
            f"the page would run {total} bytes (brotli: {parts}); {PAGE_BUDGET} are allowed",
            hint="make loader/ smaller: what Python can decide does not belong there",
        )
    download = manifest["first_visit_bytes_brotli"]
    if download > FIRST_VISIT_BUDGET:
        raise BuildError(
            f"a first visit would download {download} bytes (brotli); "
            f"{FIRST_VISIT_BUDGET} are allowed",
            hint="see which file of dist/manifest.json has grown",
        )


def assemble(files: Mapping[str, Path], dist: Path, cache: Path = COMPRESSED) -> str:
    """Write everything beside `dist`, then swap it in file by file; tell the page's share."""
    manifest = describe(files, cache)
    check_budget(manifest)
    fresh = cache.parent / "dist-next"
    shutil.rmtree(fresh, ignore_errors=True)
    for name, path in files.items():
        _copy(path, fresh / name)
        size = path.stat().st_size
        for encoding in ENCODINGS if size > SMALLEST_COMPRESSED else ():
            smaller = compressed(path, encoding, cache)
            if smaller.stat().st_size < size:
                _copy(smaller, fresh / (name + encoding))
    (fresh / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
    _swap(fresh, dist)
    return f"{manifest['page_bytes_brotli']} of {PAGE_BUDGET} bytes in the page"


def clean(dist: Path) -> None:
    """Remove what was built there."""
    for path in dist.iterdir() if dist.exists() else ():
        if path.name in TRACKED:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _files(folder: Path) -> list[str]:
    found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return [path.as_posix() for path in found if path.parts[0] not in BESIDE]


def _swap(fresh: Path, dist: Path) -> None:
    """Replace changed files (a server may be reading them), then remove stale ones."""
    names = _files(fresh)
    for name in sorted(names, key=lambda name: name.startswith(tuple(chain(*PAGE_FILES)))):
        target = dist / name
        content = (fresh / name).read_bytes()
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            (fresh / name).replace(target)
    for name in set(_files(dist)) - set(names) - set(TRACKED):
        (dist / name).unlink()
    for folder in sorted(dist.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    shutil.rmtree(fresh)
