"""The command line: `python -m tests.conformance FILE.json [--area A] [--id ID] [--verbose]`.

Prints `ID PASS|FAIL|DEVIATES reason` for each case, and how many came out how. Exits with 1 if a
case failed and with 2 if there is nothing to run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .runner import CaseFileError, Verdict, read_cases, run_case, summary


def main(arguments: list[str] | None = None) -> int:
    """Run a file of cases and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description="Run recorded cases of the incumbents against the core.",
    )
    parser.add_argument("file", type=Path, help="a JSON file of recorded cases")
    parser.add_argument("--area", action="append", default=[], help="only cases of this area")
    parser.add_argument("--id", action="append", default=[], help="only this case")
    parser.add_argument(
        "--verbose", action="store_true", help="print all mismatches and what was observed"
    )
    options = parser.parse_args(arguments)
    try:
        file = read_cases(options.file)
        chosen = file.select(options.area, options.id)
    except CaseFileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    verdicts = []
    for case in chosen:
        verdict = run_case(file.vocabulary, case, file.answers)
        verdicts.append(verdict)
        print(verdict.line)
        if options.verbose:
            print_details(verdict)
    print(summary(verdicts))
    return 1 if any(verdict.status == "FAIL" for verdict in verdicts) else 0


def print_details(verdict: Verdict) -> None:
    """Print every mismatch and the observation, indented."""
    for mismatch in verdict.mismatches:
        print(f"    {mismatch}")
    for name, value in (verdict.observation or {}).items():
        print(f"    {name}: {json.dumps(value, ensure_ascii=False)}")


if __name__ == "__main__":
    sys.exit(main())
