"""The wheel that browsers download: only what runs there, byte for byte reproducible."""

import base64
import hashlib
import io
import shutil
import zipfile
from pathlib import Path

from build_tools.commands import BuildError, Runner
from build_tools.paths import ROOT, STAMPS, VENV_PYTHON, WHEELS
from build_tools.steps import Step, digest, stamped

KEPT = "tracker/"
LEFT_OUT = ("tracker/testing/",)  # the fake browser and what else only tests use
METADATA_FOR_BROWSERS = ("Metadata-Version", "Name", "Version", "Summary", "License-Expression")
TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold


def core_wheel() -> Step:
    """The Python core as a wheel in `.build/wheel/`."""
    return stamped(
        "core wheel",
        _build,
        stamp=STAMPS / "wheel",
        inputs=lambda: digest(
            ROOT / "tracker",
            ROOT / "pyproject.toml",
            ROOT / "README.md",
            ROOT / "LICENSE",
            Path(__file__),
        ),
        products=lambda: [built_wheel() or WHEELS / "*.whl"],
    )


def built_wheel() -> Path | None:
    """The browser's wheel, if it has been built."""
    return next(WHEELS.glob("*.whl"), None)


def _build(runner: Runner) -> str:
    shutil.rmtree(WHEELS, ignore_errors=True)
    full = WHEELS / "full"
    runner.run([VENV_PYTHON, "-m", "hatchling", "build", "-t", "wheel", "-d", full])
    complete = next(full.glob("*.whl"))
    content = browser_wheel(complete.read_bytes())
    (WHEELS / complete.name).write_bytes(content)
    return f"{complete.name}, {len(content) / 1024:.0f} KB"


def browser_wheel(complete: bytes) -> bytes:
    """Derive the browser's wheel from the complete one."""
    with zipfile.ZipFile(io.BytesIO(complete)) as source:
        files = {name: source.read(name) for name in source.namelist() if _is_kept(name)}
    info = next((name.split("/")[0] for name in files if ".dist-info/" in name), None)
    if info is None or f"{info}/METADATA" not in files:
        raise BuildError("the wheel that hatchling built has no .dist-info/METADATA")
    files[f"{info}/METADATA"] = _short_metadata(files[f"{info}/METADATA"])
    files = dict(sorted(files.items()))
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")  # last, as wheels have it

    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return target.getvalue()


def _is_kept(name: str) -> bool:
    if name.startswith(KEPT):
        return not name.startswith(LEFT_OUT)
    return name.endswith((".dist-info/METADATA", ".dist-info/WHEEL"))


def _short_metadata(metadata: bytes) -> bytes:
    """Name, version and licence; no dependencies, and no README for every visitor to download."""
    headers = metadata.decode().split("\n\n", 1)[0].splitlines()
    kept = [line for line in headers if line.split(":", 1)[0] in METADATA_FOR_BROWSERS]
    return ("\n".join(kept) + "\n").encode()


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    """The list of files with hashes (packaging.python.org, "Recording installed projects")."""
    lines = []
    for name, content in files.items():
        hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={hashed},{len(content)}")
    return "\n".join([*lines, f"{own_name},,", ""]).encode()
