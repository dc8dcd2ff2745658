"""Other programs: run quietly, and shown in full when they fail."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class BuildError(Exception):
    """Something a person has to act on: what failed, and what to do about it."""

    def __init__(self, message: str, *, hint: str = "", output: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.output = output

    def report(self) -> str:
        """The whole message as it is printed."""
        parts = [self.output.rstrip()] if self.output.strip() else []
        parts.append(f"build.py: error: {self}")
        if self.hint:
            parts.append(f"  to do: {self.hint}")
        return "\n".join(parts)


@dataclass(frozen=True)
class Runner:
    """Runs commands for the steps; with `verbose` their output is shown as it comes."""

    root: Path
    verbose: bool = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        hint: str = "read the output above; -v shows it as it comes",
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Run `command` in the repository and return what it printed."""
        words = [str(word) for word in command]
        environment = {**os.environ, **(env or {})}
        if self.verbose:
            print(f"\n$ {shlex.join(words)}", flush=True)
        try:
            done = subprocess.run(
                words,
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=None if self.verbose else subprocess.PIPE,
                stderr=None if self.verbose else subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise BuildError(f"cannot start {words[0]}: {error.strerror}", hint=hint) from error
        if done.returncode:
            raise BuildError(
                f"exit code {done.returncode} from: {shlex.join(words)}",
                hint=hint,
                output=done.stdout or "",
            )
        return done.stdout or ""
