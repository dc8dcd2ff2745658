import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "collector"]


@contextmanager
def started(*arguments: str) -> Iterator[tuple[subprocess.Popen, str]]:
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def refused(*arguments: str) -> str:
    """Run the collector, which must refuse to start, and give its one line."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    return line


def test_the_ready_line_tells_where_it_listens(tmp_path: Path, event: Callable) -> None:
    (tmp_path / "index.html").write_text("site")
    options = ["--port", "0", "--database", str(tmp_path / "e.db"), "--mount", f"/={tmp_path}"]
    options += ["--trusted-proxy", "127.0.0.1", "--max-body", "5000"]
    with started(*options) as (_, line):
        assert line.startswith("collector listening on http://127.0.0.1:")
        with httpx.Client(base_url=line.split()[-1], timeout=20) as client:
            assert client.get("/").text == "site"
            headers = {"X-Forwarded-For": "198.51.100.7"}
            assert client.post("/v1/t", json=event(), headers=headers).status_code == 200
            assert client.get("/api/events").json()["events"][0]["ip"] == "198.51.100.7"
            assert client.post("/v1/t", content=b"x" * 5001).status_code == 413


def test_the_options_of_snowplow_are_named_as_there(tmp_path: Path) -> None:
    schema = tmp_path / "org.site/cart/jsonschema/1-0-0"
    schema.parent.mkdir(parents=True)
    schema.write_text('{"required": ["total"]}')
    options = ["--port", "0", "--database", str(tmp_path / "e.db"), "--iglu", str(tmp_path)]
    options += ["--collector.cookie.name", "nuid", "--collector.cookie.expiration", "12 hours"]
    options += ["--collector.cookie.domains", "a.example, b.example", "--collector.paths", "/a/b"]
    options += ["--collector.cookie.sameSite", "lax", "--collector.cookie.secure", "TRUE"]
    entity = {"schema": "iglu:org.site/cart/jsonschema/1-0-0", "data": {}}
    schema_of = "iglu:com.snowplowanalytics.snowplow/{}/jsonschema/1-0-{}"
    contexts = json.dumps({"schema": schema_of.format("contexts", 0), "data": [entity]})
    event = {"e": "pv", "p": "web", "tv": "js", "co": contexts}
    with started(*options) as (_, line):
        body = {"schema": schema_of.format("payload_data", 4), "data": [event]}
        origin = {"Origin": "https://www.b.example"}
        answer = httpx.post(f"{line.split()[-1]}/a/b", json=body, headers=origin, timeout=20)
        (bad,) = httpx.get(f"{line.split()[-1]}/micro/bad", timeout=20).json()
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("nuid=")
    for part in ("Max-Age=43200", "SameSite=Lax", "Domain=b.example", "Secure", "HttpOnly"):
        assert f"; {part}" in cookie
    assert bad["errors"] == [f"contexts: {entity['schema']}: 'total' is a required property"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_although_streams_are_open(
    tmp_path: Path, event: Callable, listen: Callable, number: signal.Signals
) -> None:
    database = tmp_path / "events.db"
    with (
        started("--port", "0", "--database", str(database)) as (process, line),
        listen(line.split()[-1]) as messages,
    ):
        assert next(messages)["event"] == "start"
        one = event()
        httpx.post(f"{line.split()[-1]}/v1/t", json=one, timeout=20)
        assert next(messages)["data"]["messageId"] == one["messageId"]
        process.send_signal(number)
        assert list(messages) == []  # the stream ends, it is not cut off
        assert process.wait(timeout=30) == 0
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)


def test_each_wrong_option_is_one_line_with_its_name_value_and_what_is_allowed(
    tmp_path: Path,
) -> None:
    good = {"--port": "0", "--database": str(tmp_path / "e.db")}
    (tmp_path / "text.db").write_text("this is not a database, whatever its name says")
    missing = tmp_path / "missing"
    cases = [
        ("--port", "99999", "must be a number from 0 (any free port) to 65535"),
        ("--port", "http", "must be a whole number"),
        ("--database", str(missing / "e.db"), "must be a file in an existing directory"),
        ("--database", str(tmp_path), "must be a writable SQLite file"),
        ("--database", str(tmp_path / "text.db"), "must be a writable SQLite file"),
        ("--host", "192.0.2.1", "must be an address of this machine"),
        ("--mount", "dist", "must be /PATH=DIR"),
        ("--mount", f"dist={tmp_path}", "with a URL path that begins with /"),
        ("--mount", f"/dist={missing}", "must be an existing directory"),
        ("--mount", f"/v1/x={tmp_path}", "/v1 belongs to the collector itself"),
        ("--mount", f"/i={tmp_path}", "/i belongs to the collector itself"),
        ("--trusted-proxy", "10.0.0.0/99", "must be an IP address or a range"),
        ("--max-body", "10", "must be at least 1024 bytes"),
        ("--collector.cookie.enabled", "maybe", "must be true or false"),
        ("--collector.cookie.expiration", "1 year", "must be seconds or text such as '365 days'"),
        ("--collector.cookie.name", "a;b", "must be 1 to 64 letters"),
        ("--collector.cookie.domains", "a b", "must be a domain such as site.example"),
        ("--collector.cookie.sameSite", "Maybe", "must be None, Lax or Strict"),
        ("--collector.paths", "/one", "must be /VENDOR/VERSION"),
        ("--collector.paths", "/api/x", "/api belongs to the collector itself"),
        ("--collector.iglu.folder", str(missing), "must be an existing directory"),
    ]
    for option, value, allowed in cases:
        options = good | {option: value}
        line = refused(*[word for pair in options.items() for word in pair])
        assert line.startswith(f"collector: {option} {value!r}: "), line
        assert allowed in line


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused("--port", port, "--database", str(tmp_path / "e.db"))
    assert line.startswith(f"collector: --port '{port}': must be a free port of 127.0.0.1")


def test_a_missing_option_is_told_in_one_line() -> None:
    assert refused("--port", "0") == ("collector: the following arguments are required: --database")


def test_a_database_of_another_layout_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    line = refused("--port", "0", "--database", str(tmp_path / "old.db"))
    assert "has layout 99" in line
