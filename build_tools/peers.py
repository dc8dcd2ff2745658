"""The tracker that this one replaces, bundled for the tests and the benchmark that compare both.

It stays in `.build/peers/`: it is another product, and nothing of it goes into `dist/`.
"""

from pathlib import Path

from build_tools.commands import Runner
from build_tools.environment import esbuild
from build_tools.paths import ROOT, STAMPS, WORK
from build_tools.steps import Step, digest, stamped

PACKAGE = "@customerio/cdp-analytics-browser"
PEERS = WORK / "peers"
INCUMBENT = PEERS / "incumbent.js"

OPTIONS = ("--bundle", "--minify", "--format=iife", "--target=es2022", "--log-level=warning")

ENTRY = f"""\
import {{ AnalyticsBrowser }} from {PACKAGE!r};
window.incumbent = {{ AnalyticsBrowser }};
"""


def incumbent_bundle() -> Step:
    """`.build/peers/incumbent.js`: a script that makes `window.incumbent.AnalyticsBrowser`."""
    return stamped(
        "incumbent for tests",
        _bundle,
        stamp=STAMPS / "peers",
        inputs=lambda: digest(ROOT / "package-lock.json", Path(__file__)),
        products=lambda: [INCUMBENT],
    )


def _bundle(runner: Runner) -> None:
    PEERS.mkdir(parents=True, exist_ok=True)
    entry = PEERS / "entry.js"
    entry.write_text(ENTRY)
    runner.run([esbuild(), entry, f"--outfile={INCUMBENT}", *OPTIONS])
