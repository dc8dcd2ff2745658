"""The command line of `build.py`."""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from build_tools import demo, dist, layers, release
from build_tools.commands import BuildError, Runner
from build_tools.paths import DIST, NODE_MODULES, REPORTS, ROOT, VENV, VENV_PYTHON, WORK
from build_tools.steps import Step, only_one, run_steps

DESCRIPTION = "Build, test and demonstrate the tracker. Everything that is needed is set up first."
CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis")


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code."""
    own, for_pytest = _split(arguments)
    options = _parser().parse_args(own)
    runner = Runner(ROOT, verbose=options.verbose)
    try:
        if for_pytest and options.command != "test":
            raise BuildError(
                f"arguments after -- are for pytest, and this is not `test`: {for_pytest}",
                hint="python3 build.py test unit -- -k session",
            )
        if options.command == "test":
            return _test(runner, options.layers, for_pytest)
        if options.command == "demo":
            return _demo(runner, options)
        if options.command == "bench":
            return _measure(runner, "visitors", f"--rounds={options.rounds}")
        if options.command == "faults":
            return _measure(runner, "faults", *_faults_arguments(options))
        if options.command == "release":
            return _release(runner)
        if options.command == "clean":
            return _clean(everything=options.all)
        return _build(runner)
    except BuildError as error:
        print(error.report(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What comes before and after the first `--`."""
    words = list(arguments)
    if "--" not in words:
        return words, []
    here = words.index("--")
    return words[:here], words[here + 1 :]


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port; allowed are 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no count; allowed are 1 and more")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        *("-v", "--verbose"),
        action="store_true",
        default=argparse.SUPPRESS,
        help="show the output of every step",
    )
    parser = argparse.ArgumentParser(
        prog="build.py",
        description=DESCRIPTION,
        parents=[common],
        epilog="Without a command: build. More on one: python3 build.py test --help",
    )
    parser.set_defaults(verbose=False)
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("build", parents=[common], help="make dist/, what a site needs to host")

    test = commands.add_parser(
        "test",
        parents=[common],
        help="run the tests, all layers or those named",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="The layers:\n"
        + "\n".join(f"  {layer.name:12} {layer.proves}" for layer in layers.LAYERS.values()),
        epilog="Arguments after -- go to pytest: python3 build.py test unit -- -k session -x",
    )
    test.add_argument("layers", nargs="*", metavar="layer", help=" ".join(layers.LAYERS))

    show = commands.add_parser(
        "demo", parents=[common], help="serve a tracked demo shop and show its events live"
    )
    show.add_argument(
        *("--port", "-p"),
        type=_port,
        metavar="N",
        help=f"the port to listen on (default: {demo.DEFAULT_PORT}, or the next free one)",
    )
    show.add_argument("--no-open", action="store_true", help="do not open a browser")
    show.add_argument(
        "--database",
        type=Path,
        default=demo.DEFAULT_DATABASE,
        metavar="FILE",
        help="where events are kept (default: %(default)s)",
    )

    bench = commands.add_parser(
        "bench",
        parents=[common],
        help="measure what the tracker costs visitors, beside the trackers that it replaces",
    )
    bench.add_argument(
        "--rounds",
        type=_count,
        default=9,
        metavar="N",
        help="visits of each tracker; from 9 on the documents get the figures (default: 9)",
    )

    faults = commands.add_parser(
        "faults",
        parents=[common],
        help="let networks, servers, tabs and browsers fail, and count what becomes of the events",
    )
    faults.add_argument(
        "--peer",
        action="append",
        default=[],
        choices=["customerio", "snowplow"],
        help="also with this tracker, in the same run",
    )
    faults.add_argument(
        "--events",
        type=_count,
        default=1000,
        metavar="N",
        help="events of each scenario (default: 1000)",
    )
    faults.add_argument(
        "--only", action="append", default=[], metavar="SCENARIO", help="this scenario only"
    )

    commands.add_parser(
        "release",
        parents=[common],
        help="make dist/release/ and dist/npm/, for people who do not build",
    )

    clean = commands.add_parser(
        "clean", parents=[common], help="remove what was built, the demo's database included"
    )
    clean.add_argument(
        "--all", action="store_true", help="also .venv, node_modules and the caches of the tools"
    )
    return parser


def _prepare(runner: Runner, steps: Sequence[Step]) -> None:
    with only_one(WORK / "lock"):
        run_steps(steps, runner)


def _build(runner: Runner) -> int:
    _prepare(runner, dist.build_steps())
    print(f"built: {DIST} (README.md there says how to host it)")
    return 0


def _release(runner: Runner) -> int:
    _prepare(runner, release.release_steps())
    print(f"released: {release.RELEASE} and {release.NPM}")
    return 0


def _test(runner: Runner, names: Sequence[str], for_pytest: Sequence[str]) -> int:
    chosen = layers.choose(names)
    _prepare(runner, layers.steps_for(chosen))
    REPORTS.mkdir(parents=True, exist_ok=True)
    return 0 if layers.run_layers(chosen, for_pytest) else 1


def _measure(runner: Runner, name: str, *arguments: str) -> int:
    """Run a benchmark that compares the tracker with those that it replaces."""
    _prepare(runner, layers.steps_for([layers.LAYERS["peers"]]))
    command = [str(VENV_PYTHON), "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _faults_arguments(options: argparse.Namespace) -> list[str]:
    several = [("--peer", each) for each in options.peer]
    several += [("--only", each) for each in options.only]
    return [f"--events={options.events}", *(word for pair in several for word in pair)]


def _demo(runner: Runner, options: argparse.Namespace) -> int:
    WORK.mkdir(exist_ok=True)
    database = demo.check_database(options.database)
    demo.choose_port(options.port)  # say so before the work, not after it
    _prepare(runner, dist.build_steps())
    port = demo.choose_port(options.port)
    return demo.run(port, database, open_browser=not options.no_open and demo.has_screen())


def _clean(*, everything: bool) -> int:
    dist.clean(DIST)
    folders = [WORK, *([VENV, NODE_MODULES] if everything else [])]
    folders += [ROOT / name for name in CACHES] if everything else []
    for folder in folders:
        if folder.exists():
            shutil.rmtree(folder)
    print(f"removed what was built in {ROOT}" + (" and the tools" if everything else ""))
    return 0
