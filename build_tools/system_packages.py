"""What only the system's package manager can install."""

import os
import shutil
import subprocess

from build_tools.commands import BuildError, Runner


def _privilege() -> list[str] | None:
    """The words in front of a command that needs root, or None if we cannot be root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None


def apt_command(package: str) -> str:
    """The command that a person would type."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {package}"


def install(runner: Runner, package: str, *, missing: str, hint: str) -> None:
    """Install a Debian package, or say what is `missing` and how to get it."""
    privilege = _privilege()
    if shutil.which("apt-get") is None or privilege is None:
        raise BuildError(missing, hint=hint)
    get = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    runner.run([*get, "update"], hint=hint)
    runner.run([*get, "install", "-y", "--no-install-recommends", package], hint=hint)
