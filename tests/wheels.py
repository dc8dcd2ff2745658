"""Wheels made in a moment."""

from __future__ import annotations

import io
import zipfile


def wheel(
    code: str = "",
    points: str = "x = tried_plugin:Tried",
    needs: tuple[str, ...] = (),
    name: str = "tried_plugin",
) -> bytes:
    """A wheel with one module."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(f"{name}.py", code)
        info = f"{name}-1.0.dist-info"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
        lines += [f"Requires-Dist: {need}" for need in needs]
        archive.writestr(f"{info}/METADATA", "\n".join(lines) + "\n\nRequires-Dist: text\n")
        archive.writestr(
            f"{info}/entry_points.txt", f"[other]\ny = z:Z\n[pyodide_tracker.plugins]\n{points}\n"
        )
    return target.getvalue()
