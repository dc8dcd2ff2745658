"""Suites in other languages, by what the documents say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from build_tools.browsers import find_chromium
from build_tools.environment import node
from build_tools.paths import NODE_MODULES, ROOT
from collector.testing import Tracked

TESTING = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_curl_example_prints_what_the_document_shows(tracked: Tracked) -> None:
    section = TESTING.partition("### Other languages")[2]
    commands, shown = re.findall(r"```(?:sh|text)\n(.*?)```", section, re.DOTALL)[:2]
    assert commands.count("curl") == 3
    done = subprocess.run(
        ["bash", "-e", "-c", re.sub(r"(?<!\\)\n", "; echo\n", commands)],
        env={**os.environ, "COLLECTOR": tracked.url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == shown.split()


def test_the_node_example_passes(tracked: Tracked, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "node" / "shop.test.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    done = subprocess.run(
        [node(), "--test", "shop.test.mjs"],
        cwd=tmp_path,
        env={**os.environ, "SHOP": tracked.url, "CHROMIUM": str(find_chromium())},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 1" in done.stdout
