import gzip
import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from collector import Mount, Settings
from collector.server import running

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"

FILES = {
    "index.html": "<h1>Home</h1>",
    "loader.js": "loader",
    "app-0123abcd.js": "hashed",
    "core.mjs": "module",
    "run.wasm": "\0asm",
    "tracker-0.1.0-py3-none-any.whl": "wheel",
    "data.json": "{}",
    "style.css": "body{}",
    "pyodide-314.0.7/pyodide.js": "pyodide",
    "pyodide-314.0.7/index.html": "versioned page",
    "sub/index.html": "sub page",
    ".secret": "hidden",
    "folder/plain.txt": "plain",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, some of which have compressed forms, next to a file outside of it."""
    outside = tmp_path_factory.mktemp("static")
    root = outside / "site"
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "loader.js.gz").write_bytes(gzip.compress(b"loader"))
    (root / "loader.js.br").write_bytes(b"brotli bytes")
    (root / "data.json.gz").write_bytes(gzip.compress(b"{}"))
    (outside / "outside.txt").write_text("outside")
    (root / "link.txt").symlink_to(outside / "outside.txt")
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a collector that serves the folder below /dist, without encodings by default."""
    database = tmp_path_factory.mktemp("collector") / "events.db"
    plain = {"Accept-Encoding": "identity"}
    with (
        running(Settings(database, mounts=(Mount("/dist", site),))) as collector,
        httpx.Client(base_url=collector.url, headers=plain, timeout=20) as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/dist/", "text/html; charset=utf-8"),
        ("/dist/loader.js", "text/javascript; charset=utf-8"),
        ("/dist/core.mjs", "text/javascript; charset=utf-8"),
        ("/dist/run.wasm", "application/wasm"),
        ("/dist/tracker-0.1.0-py3-none-any.whl", "application/zip"),
        ("/dist/data.json", "application/json"),
        ("/dist/style.css", "text/css; charset=utf-8"),
        ("/dist/.well-known", None),
    ],
)
def test_files_have_their_media_types(
    server: httpx.Client, path: str, media_type: str | None
) -> None:
    answer = server.get(path)
    if media_type is None:
        assert answer.status_code == 404
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/dist/", ASK_AGAIN),
        ("/dist/?v=2", ASK_AGAIN),
        ("/dist/loader.js", ASK_AGAIN),
        ("/dist/loader.js?v=2", FOREVER),
        ("/dist/loader.js?a=1&v=2", FOREVER),
        ("/dist/loader.js?0123abcd", FOREVER),
        ("/dist/loader.js?debug", ASK_AGAIN),
        ("/dist/app-0123abcd.js", FOREVER),
        ("/dist/pyodide-314.0.7/pyodide.js", FOREVER),
        ("/dist/pyodide-314.0.7/index.html", ASK_AGAIN),
        ("/dist/folder/plain.txt", ASK_AGAIN),
    ],
)
def test_what_changes_its_address_with_its_content_may_be_kept(
    server: httpx.Client, path: str, policy: str
) -> None:
    assert server.get(path).headers["cache-control"] == policy


def test_any_origin_may_use_the_files(server: httpx.Client) -> None:
    for path in ("/dist/loader.js", "/dist/absent.js"):
        headers = server.get(path, headers={"Origin": "https://a.example"}).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers
        assert headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("path", "accepted", "coding", "content"),
    [
        ("loader.js", "br, gzip", "br", None),
        ("loader.js", "gzip", "gzip", b"loader"),
        ("loader.js", "gzip;q=1.0, br;q=0", "gzip", b"loader"),
        ("loader.js", "identity", None, b"loader"),
        ("loader.js", "", None, b"loader"),
        ("data.json", "br, gzip", "gzip", b"{}"),
        ("core.mjs", "br, gzip", None, b"module"),
    ],
)
def test_a_compressed_form_is_sent_to_who_accepts_it(
    server: httpx.Client, path: str, accepted: str, coding: str | None, content: bytes | None
) -> None:
    with server.stream("GET", f"/dist/{path}", headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"] != "application/gzip"
    if content is None:
        assert raw == b"brotli bytes"
    else:
        assert (gzip.decompress(raw) if coding else raw) == content


def test_a_file_that_did_not_change_is_not_sent_again(server: httpx.Client, site: Path) -> None:
    first = server.get("/dist/style.css")
    known = {"If-None-Match": first.headers["etag"]}
    again = server.get("/dist/style.css", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == ASK_AGAIN
    assert server.get("/dist/style.css", headers={"If-None-Match": '"x", *'}).status_code == 304
    (site / "style.css").write_text("body{color:red}")
    assert server.get("/dist/style.css", headers=known).text == "body{color:red}"


def test_each_form_of_a_file_has_an_etag_of_its_own(server: httpx.Client) -> None:
    etags = {
        server.head("/dist/loader.js", headers={"Accept-Encoding": coding}).headers["etag"]
        for coding in ("br", "gzip", "identity")
    }
    assert len(etags) == 3


def test_part_of_a_file_can_be_asked_for(server: httpx.Client) -> None:
    answer = server.get("/dist/loader.js", headers={"Range": "bytes=1-2"})
    assert (answer.status_code, answer.text) == (206, "oa")


@pytest.mark.parametrize(
    "path",
    [
        "/dist/../outside.txt",
        "/dist/%2e%2e/outside.txt",
        "/dist/..%2foutside.txt",
        "/dist/folder/../../outside.txt",
        "/dist//etc/passwd",
        "/dist/%2fetc/passwd",
        "/dist/link.txt",
        "/dist/loop",
        "/dist/.secret",
        "/dist/loader.js%00.html",
        "/dist/" + "x" * 5000,
        "/dist/folder/",
        "/dist/loader.js/",
        "/dist/absent",
    ],
)
def test_nothing_outside_of_the_folder_is_served(server: httpx.Client, path: str) -> None:
    # httpx tidies paths, so the request is made as an attacker would.
    connection = http.client.HTTPConnection(server.base_url.netloc.decode(), timeout=20)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize(("path", "target"), [("/dist", "/dist/"), ("/dist/sub", "/dist/sub/")])
def test_a_folder_is_redirected_to_its_slash(server: httpx.Client, path: str, target: str) -> None:
    answer = server.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, target)
    assert server.get(target).status_code == 200


def test_files_can_only_be_read(server: httpx.Client) -> None:
    answer = server.post("/dist/loader.js")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert server.head("/dist/loader.js").headers["content-length"] == "6"


def test_a_mounted_site_leaves_the_collector_its_own_addresses(site: Path, start: Callable) -> None:
    (site / "v1").mkdir()
    (site / "v1" / "nothing").write_text("shadow")
    url = start(mounts=(Mount("/", site), Mount("/sub/deep", site / "folder"))).url
    plain = {"Accept-Encoding": "identity"}
    with httpx.Client(base_url=url, headers=plain, timeout=20) as client:
        assert client.get("/").text == FILES["index.html"]
        assert client.get("/loader.js").text == "loader"
        assert client.get("/sub/").text == "sub page"
        assert client.get("/sub/deep/plain.txt").text == "plain"
        assert client.get("/v1/nothing").status_code == 404
        assert client.get("/api/stats").status_code == 200
        assert "Events" in client.get("/events").text


def test_without_a_mounted_site_the_root_leads_to_the_events(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/events")
