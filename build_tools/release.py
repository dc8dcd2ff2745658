"""Release artefacts for people who do not build: `dist/release/` and `dist/npm/`.

Each is the same, byte for byte, whenever it is made from the same files.
"""

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

from build_tools.bundle import OPTIONS, SNIPPET, SOURCES
from build_tools.commands import Runner
from build_tools.compress import ENCODINGS
from build_tools.dist import BESIDE, MANIFEST, build_steps
from build_tools.environment import esbuild
from build_tools.paths import DIST, ROOT, VENV_PYTHON, WORK, tracker_version
from build_tools.steps import Step
from build_tools.wheel import TIMESTAMP

RELEASE, NPM = (DIST / name for name in BESIDE)
SUMS = "SHA256SUMS"
UNVERSIONED = "/tracker/"  # the folder in the files of dist/
PACKAGE = "pyodide-tracker"


def release_steps() -> list[Step]:
    """Everything that `python3 build.py release` does."""
    return [
        *build_steps(),
        Step("static files", lambda _: _static_files()),
        Step("wheel and sdist", _python_packages),
        Step("npm package", _npm_package),
        Step("checksums", lambda _: _checksums(RELEASE)),
    ]


def folder() -> str:
    """The folder of a release on a server: another one for each, and a name that says nothing."""
    return f"web-{tracker_version()}"


def hosted() -> dict[str, bytes]:
    """What a site hosts of this release, by its name in the folder."""
    names = ["README.md", MANIFEST, *json.loads((DIST / MANIFEST).read_text())["files"]]
    names = [name for name in names if not name.endswith(".whl")]  # pages do not ask for it
    smaller = [name + end for name in names for end in ENCODINGS if (DIST / (name + end)).exists()]
    files = {name: (DIST / name).read_bytes() for name in sorted([*names, *smaller])}
    manifest = json.loads(files[MANIFEST])
    described = manifest["files"].items()
    manifest["files"] = {
        name: facts for name, facts in described if name in files and name != SNIPPET.name
    }
    files[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    for name in ("README.md", SNIPPET.name):
        files[name] = files[name].replace(UNVERSIONED.encode(), f"/{folder()}/".encode())
        for end in ENCODINGS:
            files.pop(name + end, None)
    return files


def _static_files() -> str:
    shutil.rmtree(RELEASE, ignore_errors=True)
    RELEASE.mkdir(parents=True)
    target = RELEASE / f"{PACKAGE}-{tracker_version()}.zip"
    files = hosted()
    sums = "".join(f"{_sum(content)}  {name}\n" for name, content in files.items())
    files[SUMS] = sums.encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder()}/{name}", TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content, compresslevel=9)
    return f"{target.name}, {len(files)} files"


def _python_packages(runner: Runner) -> str:
    made = WORK / "packages"
    shutil.rmtree(made, ignore_errors=True)
    runner.run([VENV_PYTHON, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", made])
    names = sorted(path.name for path in made.iterdir())
    for name in names:
        shutil.copyfile(made / name, RELEASE / name)
    return ", ".join(names)


def _npm_package(runner: Runner) -> str:
    shutil.rmtree(NPM, ignore_errors=True)
    NPM.mkdir(parents=True)
    version = json.dumps(tracker_version())
    module = [option for option in OPTIONS if not option.startswith("--format")]
    entry, target = SOURCES / "npm.js", f"--outfile={NPM / 'index.js'}"
    runner.run(
        [esbuild(), entry, target, *module, "--format=esm", f"--define:__VERSION__={version}"]
    )
    shutil.copyfile(SOURCES / "npm.d.ts", NPM / "index.d.ts")
    shutil.copyfile(SOURCES / "npm.md", NPM / "README.md")
    shutil.copyfile(ROOT / "LICENSE", NPM / "LICENSE")
    for name, content in hosted().items():
        path = NPM / "assets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    package = {
        "name": PACKAGE,
        "version": tracker_version(),
        "description": "An in-browser event tracker whose core is Python: the identities of "
        "Customer.io's Analytics.js with the sessions and privacy of Snowplow's tracker.",
        "license": "Apache-2.0",
        "type": "module",
        "sideEffects": False,
        "exports": {
            ".": {"types": "./index.d.ts", "default": "./index.js"},
            "./assets/*": "./assets/*",
            "./package.json": "./package.json",
        },
        "types": "./index.d.ts",
        "files": ["index.js", "index.d.ts", "assets"],
    }
    (NPM / "package.json").write_text(json.dumps(package, indent=2) + "\n")
    return f"npm/, version {tracker_version()}"


def _checksums(place: Path) -> str:
    paths = sorted(path for path in place.iterdir() if path.name != SUMS)
    (place / SUMS).write_text("".join(f"{_sum(p.read_bytes())}  {p.name}\n" for p in paths))
    return f"release/{SUMS}"


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
