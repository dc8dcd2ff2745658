"""The JavaScript that runs in the page: `loader.js`, or a pasted snippet and its `start.js`."""

import hashlib
import importlib
import json
import traceback
from pathlib import Path

from build_tools.commands import BuildError, Runner
from build_tools.environment import esbuild, node, terser
from build_tools.images import CORE, LIBRARY, PLUGINS
from build_tools.paths import LOADER_BUNDLE, ROOT, STAMPS, npm_version, tracker_version
from build_tools.runtime import empty_lock
from build_tools.steps import Step, digest, stamped

SOURCES = ROOT / "loader"
LOADER = LOADER_BUNDLE / "loader.js"
EXTRAS = LOADER_BUNDLE / "extras.js"
START = LOADER_BUNDLE / "start.js"
LATE = LOADER_BUNDLE / "late.js"
HOST = LOADER_BUNDLE / "host.js"
SNIPPET = LOADER_BUNDLE / "snippet.html"

OPTIONS = (
    "--bundle",
    "--minify",
    "--format=iife",
    "--target=es2022",
    "--charset=utf8",
    "--legal-comments=none",
    "--log-level=warning",
)


def loader_bundle() -> Step:
    """The loader and the snippet in `.build/loader/`."""
    return stamped(
        "loader",
        _bundle,
        stamp=STAMPS / "loader",
        inputs=lambda: digest(SOURCES, ROOT / "package-lock.json", Path(__file__), *_defines()),
        products=lambda: [LOADER, START, EXTRAS, LATE, HOST, SNIPPET],
    )


def pyodide_folder() -> str:
    """The runtime's folder next to `loader.js`: named by version, so it can be cached for ever."""
    return f"pyodide-{npm_version('pyodide')}/"


def plugins_folder() -> str:
    """The folder of what only plugins in Python need, named by version, too."""
    return f"plugins-{npm_version('pyodide')}/"


def _defines() -> list[str]:
    """The constants that the loader takes from the build."""
    constants: dict[str, object] = {
        "__VERSION__": tracker_version(),
        "__PYODIDE__": pyodide_folder(),
        "__PLUGINS__": plugins_folder(),
        "__LOCK__": empty_lock(),
        "__LIBRARY__": _versioned(LIBRARY),
        "__CORE__": _versioned(CORE),
        "__RUNNER__": _versioned(PLUGINS),
        "__PRECHECK__": _precheck(),
        "__BUILD__": digest(SOURCES, CORE, LIBRARY)[:8],
    }
    return [f"--define:{name}={json.dumps(value)}" for name, value in constants.items()]


def _versioned(file: Path) -> str:
    """The name under which a page asks for a file, so that caches may keep it for ever."""
    return f"{file.name}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"


def _precheck() -> object:
    """The privacy table of the core: the loader asks the same questions."""
    try:
        return importlib.import_module("tracker.privacy").PRECHECK
    except Exception as error:
        raise BuildError(
            f"PRECHECK cannot be read from tracker.privacy: {type(error).__name__}: {error}",
            hint="the core must be importable by the Python that runs build.py",
            output=traceback.format_exc(),
        ) from error


def _bundle(runner: Runner) -> None:
    defines = _defines()
    LOADER_BUNDLE.mkdir(parents=True, exist_ok=True)
    entry, stub = LOADER_BUNDLE / "entry.js", LOADER_BUNDLE / "stub.js"
    snippet = json.dumps(str(SOURCES / "snippet.js"))
    entry.write_text(f"import {{ create }} from {snippet};\nstub.create = create;\n")
    module = [option for option in OPTIONS if not option.startswith("--format")]
    for name, product in (("EXTRAS", EXTRAS), ("HOST", HOST), ("LATE", LATE)):
        source, target = SOURCES / product.name, f"--outfile={product}"
        runner.run([esbuild(), source, target, *module, "--format=esm", *defines])
        _minify(runner, product, "--module")
        defines.append(f"--define:__{name}__={json.dumps(_versioned(product))}")
    with_stub = "--define:__ALONE__=true"
    without = "--define:__ALONE__=false"
    for script, product, which in (
        (SOURCES / "loader.js", LOADER, with_stub),
        (SOURCES / "loader.js", START, without),
        (entry, stub, with_stub),
    ):
        runner.run([esbuild(), script, f"--outfile={product}", *OPTIONS, *defines, which])
        _minify(runner, product)
    template = (SOURCES / "snippet.html").read_text()
    code = f"var stub={{}};{stub.read_text()}"  # 200 bytes less than esbuild's --global-name
    SNIPPET.write_text(fill_snippet(template, code, tracker_version()))


def _minify(runner: Runner, script: Path, *options: str) -> None:
    """Make a bundle about 4 % smaller than esbuild does."""
    how = ("--compress", "passes=3", "--mangle", "--ecma", "2020")
    runner.run([node(), terser(), script, *how, *options, "--output", script])


def fill_snippet(template: str, stub: str, version: str) -> str:
    """The tag to paste: minified code, with key and address left readable for the site owner."""
    for place in ("__STUB__", "__VERSION__"):
        if template.count(place) != 1:
            raise BuildError(
                f"loader/snippet.html has {place} {template.count(place)} times",
                hint=f"write {place} once, where the build puts that in",
            )
    return template.replace("__VERSION__", version).replace("__STUB__", stub.strip())
