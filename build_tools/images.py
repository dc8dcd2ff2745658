"""What pages start Python from: the standard library as far as it is needed, and the core.

Both are compiled by the Python that runs them: compiling them takes most of a start otherwise.
Two files, because the first one stays the same when the core changes; a third one for pages with
plugins in Python.
"""

from pathlib import Path

from build_tools.commands import BuildError, Runner
from build_tools.environment import node
from build_tools.paths import IMAGES, ROOT, STAMPS
from build_tools.steps import Step, digest, stamped
from build_tools.wheel import built_wheel

LIBRARY = IMAGES / "python_stdlib.zip"
CORE = IMAGES / "core.zip"
PLUGINS = IMAGES / "plugins.zip"
HERE = Path(__file__).parent
SCRIPTS = (HERE / "compile_in_pyodide.mjs", HERE / "compile_in_pyodide.py")


def start_images() -> Step:
    """Compile them, into `.build/images/`."""
    return stamped(
        "start images",
        _compile,
        stamp=STAMPS / "images",
        inputs=lambda: digest(wheel(), ROOT / "package-lock.json", Path(__file__), *SCRIPTS),
        products=lambda: [LIBRARY, CORE, PLUGINS],
    )


def wheel() -> Path:
    """The core wheel. Raises BuildError if it has not been built."""
    found = built_wheel()
    if found is None:
        raise BuildError("the core wheel has not been built", hint="python3 build.py")
    return found


def _compile(runner: Runner) -> str:
    IMAGES.mkdir(parents=True, exist_ok=True)
    made = (LIBRARY, CORE, PLUGINS)
    runner.run([node(), SCRIPTS[0], wheel(), *made])
    sizes = [f"{path.name} {path.stat().st_size / 1024:.0f} KB" for path in made]
    return ", ".join(sizes)
