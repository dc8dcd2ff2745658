"""Compression at the highest level, in parallel, once per content.

As a program (it needs the package brotli): `python -m build_tools.compress FOLDER FILE...`
"""

import gzip
import hashlib
import importlib
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from build_tools.commands import Runner
from build_tools.paths import COMPRESSED, VENV_PYTHON

ENCODINGS = (".br", ".gz")  # as servers name the siblings
BROTLI_WINDOW = 24  # 16 MB: more than the largest file has


def compressed(path: Path, encoding: str, folder: Path = COMPRESSED) -> Path:
    """Where the compressed form of this file's present content is kept."""
    return folder / (hashlib.sha256(path.read_bytes()).hexdigest() + encoding)


def is_compressed(paths: Iterable[Path], folder: Path = COMPRESSED) -> bool:
    """Whether every file is there in every encoding."""
    return all(compressed(path, end, folder).exists() for path in paths for end in ENCODINGS)


def compress_all(runner: Runner, paths: Iterable[Path], folder: Path = COMPRESSED) -> None:
    """Compress what is new, in the Python that has brotli."""
    runner.run([VENV_PYTHON, "-m", "build_tools.compress", folder, *paths])


def _encode(content: bytes, encoding: str) -> bytes:
    if encoding == ".gz":
        return gzip.compress(content, 9, mtime=0)
    brotli = importlib.import_module("brotli")
    return bytes(brotli.compress(content, quality=11, lgwin=BROTLI_WINDOW))


def _compress_one(source: Path, target: Path, encoding: str) -> None:
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    partial.write_bytes(_encode(source.read_bytes(), encoding))
    partial.replace(target)


def main(folder: Path, paths: Iterable[Path]) -> None:
    """Fill the folder, the longest work first. Both encoders work outside Python's lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        work = [
            pool.submit(_compress_one, path, target, encoding)
            for path in sorted(paths, key=lambda path: -path.stat().st_size)
            for encoding in ENCODINGS
            if not (target := compressed(path, encoding, folder)).exists()
        ]
        for piece in work:
            piece.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
