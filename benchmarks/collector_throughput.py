"""Measures how many events per second one client gets into a collector, durably.

    python benchmarks/collector_throughput.py [--batches N] [--size N] [--url http://HOST:PORT]

Without `--url` it starts a collector of its own in another process, on a new database. One
keep-alive connection sends a batch, waits for the answer, and sends the next. Prints events/s and
the latency of a batch in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

TEMPLATE = {
    "type": "track",
    "event": "Product Viewed",
    "anonymousId": "39ee7ea5-b6d8-4174-b612-04e1ef3fa952",
    "userId": "user-1",
    "timestamp": "2026-01-15T12:00:01.000Z",
    "properties": {"sku": "A-1", "price": 17.5, "categories": ["shoes", "sale"]},
    "context": {
        "page": {
            "path": "/shop/shoes",
            "referrer": "https://www.search.example/",
            "search": "?utm_source=news",
            "title": "Shoes",
            "url": "https://www.site.example/shop/shoes?utm_source=news",
        },
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0",
        "locale": "en-GB",
        "library": {"name": "pyodide-tracker", "version": "0.1.0"},
        "campaign": {"source": "news"},
    },
    "integrations": {},
}


def main() -> None:
    """Send the batches and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--size", type=int, default=10, help="events in a batch")
    parser.add_argument("--url", help="an existing collector")
    options = parser.parse_args()
    with _collector(options.url) as url:
        latencies = _send(url, options.batches, options.size)
    seconds = sum(latencies)
    events = options.batches * options.size
    ranked = sorted(latencies)
    print(
        f"{events / seconds:,.0f} events/s ({events} events in batches of {options.size}; "
        f"batch p50 {ranked[len(ranked) // 2] * 1000:.1f} ms, "
        f"p99 {ranked[len(ranked) * 99 // 100] * 1000:.1f} ms)"
    )


@contextmanager
def _collector(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "events.db"
        command = [sys.executable, "-m", "collector", "--port", "0", "--database", str(database)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            yield process.stdout.readline().rsplit(" ", 1)[1].strip()
        finally:
            process.terminate()
            process.wait()


def _send(url: str, batches: int, size: int) -> list[float]:
    bodies = [
        json.dumps(
            {"writeKey": "k", "batch": [TEMPLATE | _unique() for _ in range(size)]},
            separators=(",", ":"),
        )
        for _ in range(batches)
    ]
    connection = HTTPConnection(urlsplit(url).netloc)
    latencies = []
    for body in bodies:
        started = time.perf_counter()
        connection.request("POST", "/v1/b", body, {"Content-Type": "text/plain"})
        response = connection.getresponse()
        answer = response.read()
        latencies.append(time.perf_counter() - started)
        if response.status != 200:
            sys.exit(f"the collector answered {response.status}: {answer.decode()}")
    return latencies


def _unique() -> dict[str, str]:
    return {"messageId": f"ajs-next-{uuid.uuid4().hex}"}


if __name__ == "__main__":
    main()
