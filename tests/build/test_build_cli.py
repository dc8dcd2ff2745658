import dataclasses
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_tools import browsers, demo
from build_tools.browsers import find_chromium, find_firefox
from build_tools.cli import main
from build_tools.commands import BuildError
from build_tools.environment import is_usable
from build_tools.paths import ROOT, npm_version, tracker_version


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An otherwise empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CHROMIUM", raising=False)
    none_on_macs = dataclasses.replace(browsers.CHROMIUM, mac_apps=())
    monkeypatch.setattr(browsers, "CHROMIUM", none_on_macs)
    return folder


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((demo.HOST, 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["test", "units"], ["unknown test layer units", "lint unit conformance pyodide browser"]),
        (["clean", "--", "-x"], ["['-x']", "build.py test unit -- -k session"]),
        (["demo", "--database", "no/such/folder/x"], ["no/such/folder/x", "folder that exists"]),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("build.py: error: ")
    for word in words:
        assert word in printed


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_out_of_range_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", f"--port={port}"])
    assert f"{port} is not a port; allowed are 1 to 65535" in capsys.readouterr().err


def test_help_is_there_for_every_command() -> None:
    for command in ([], ["build"], ["test"], ["demo"], ["clean"]):
        done = subprocess.run(
            [sys.executable, ROOT / "build.py", *command, "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert done.stdout.startswith("usage: build.py")


def test_a_wanted_port_that_is_taken_is_an_error(taken: int) -> None:
    with pytest.raises(BuildError, match=f"port {taken} cannot be used"):
        demo.choose_port(taken)


def test_without_a_wanted_port_the_next_free_one_is_taken(taken: int) -> None:
    assert taken < demo.choose_port(None, first=taken) < taken + demo.PORTS_TO_TRY


def test_the_database_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.check_database(Path("events.sqlite")) == tmp_path / "events.sqlite"


def test_no_browser_opens_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("CI", "true")
    assert not demo.has_screen()


@pytest.mark.usefixtures("programs")
def test_no_chromium_is_none() -> None:
    assert find_chromium() is None


def test_chromium_is_preferred_to_chrome(programs: Path) -> None:
    program(programs / "google-chrome")
    assert find_chromium() == programs / "google-chrome"
    program(programs / "chromium")
    assert find_chromium() == programs / "chromium"


def test_the_variable_chromium_wins(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs / "chromium")
    own = program(tmp_path / "my-browser")
    monkeypatch.setenv("CHROMIUM", str(own))
    assert find_chromium() == own


def test_a_variable_chromium_that_names_nothing_is_an_error(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs / "chromium")
    monkeypatch.setenv("CHROMIUM", "/no/such/browser")
    with pytest.raises(BuildError, match="CHROMIUM=/no/such/browser is not a program"):
        find_chromium()


def test_firefox_has_a_variable_of_its_own(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_firefox() in (None, *map(Path, browsers.FIREFOX.mac_apps))
    program(programs / "firefox")
    assert find_firefox() == programs / "firefox"
    monkeypatch.setenv("FIREFOX", str(program(tmp_path / "my-browser")))
    assert find_firefox() == tmp_path / "my-browser"
    monkeypatch.setenv("FIREFOX", "/no/such/browser")
    with pytest.raises(BuildError, match="FIREFOX=/no/such/browser is not a program"):
        find_firefox()


def test_an_environment_is_usable_only_with_the_version_that_made_it(tmp_path: Path) -> None:
    assert not is_usable(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    version = "{}.{}".format(*sys.version_info[:2])
    home = Path(os.path.realpath(sys.executable)).parent
    # The packages of this environment, so that pip is there without installing it.
    (tmp_path / "lib").symlink_to(Path(sys.prefix) / "lib")
    (tmp_path / "pyvenv.cfg").write_text(f"home = {home}\nversion = {version}.1\n")
    assert is_usable(tmp_path)
    (tmp_path / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.10.1\n")
    assert not is_usable(tmp_path)


def test_versions_come_from_the_files_that_pin_them() -> None:
    assert tracker_version().count(".") == 2
    assert npm_version("pyodide").startswith("314.")


def test_the_npm_lock_does_not_say_where_packages_come_from() -> None:
    lock = (ROOT / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "registry" not in lock


def test_an_old_python_is_told_what_is_needed(tmp_path: Path) -> None:
    fake = tmp_path / "old.py"
    source = (ROOT / "build.py").read_text()
    fake.write_text(source.replace("sys.version_info < (3, 11)", "sys.version_info < (9, 9)"))
    done = subprocess.run([sys.executable, fake], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_a_benchmark_needs_a_number_of_rounds(
    rounds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["bench", f"--rounds={rounds}"])
    assert f"{rounds} is no count; allowed are 1 and more" in capsys.readouterr().err
