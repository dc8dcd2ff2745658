"""Starts the collector from the command line: `python -m collector --help`."""

import sys

from collector.cli import main

if __name__ == "__main__":
    sys.exit(main())
