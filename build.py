#!/usr/bin/env python3
"""Build, test and demonstrate the tracker: `python3 build.py --help`."""

import sys

# Only syntax that old versions understand, so that they can say what is missing.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "build.py: error: Python 3.11 or newer is needed, {} is {}.{}.\n"
        "  to do: install Python 3.11+ and run it with that, for example: "
        "python3.11 build.py".format(sys.executable, *sys.version_info[:2])
    )

from build_tools.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
