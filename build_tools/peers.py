"""The two trackers that this one replaces, bundled for the tests and benchmarks that compare them.

They stay in `.build/peers/`: they are other products, and nothing of them goes into `dist/`.
"""

from pathlib import Path

from build_tools.commands import Runner
from build_tools.environment import esbuild
from build_tools.paths import ROOT, STAMPS, WORK
from build_tools.steps import Step, digest, stamped

PACKAGE = "@customerio/cdp-analytics-browser"
SNOWPLOW_PACKAGE = "@snowplow/browser-tracker"
PEERS = WORK / "peers"
INCUMBENT = PEERS / "incumbent.js"
SNOWPLOW = PEERS / "snowplow.js"

OPTIONS = ("--bundle", "--minify", "--format=iife", "--target=es2022", "--log-level=warning")

ENTRIES = {
    INCUMBENT: f"""\
import {{ AnalyticsBrowser }} from {PACKAGE!r};
window.incumbent = {{ AnalyticsBrowser }};
""",
    SNOWPLOW: f"""\
import * as all from {SNOWPLOW_PACKAGE!r};
window.incumbentSnowplow = {{ ...all }};
""",
}


def incumbent_bundles() -> Step:
    """The scripts in `.build/peers/`.

    `incumbent.js` makes `window.incumbent.AnalyticsBrowser`, `snowplow.js` makes
    `window.incumbentSnowplow` with all that the package exports.
    """
    return stamped(
        "incumbents for tests",
        _bundle,
        stamp=STAMPS / "peers",
        inputs=lambda: digest(ROOT / "package-lock.json", Path(__file__)),
        products=lambda: list(ENTRIES),
    )


def _bundle(runner: Runner) -> None:
    PEERS.mkdir(parents=True, exist_ok=True)
    for product, imports in ENTRIES.items():
        entry = PEERS / f"{product.stem}.entry.js"
        entry.write_text(imports)
        runner.run([esbuild(), entry, f"--outfile={product}", *OPTIONS])
