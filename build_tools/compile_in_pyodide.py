"""Runs in Pyodide: makes the files that pages start Python from, compiled and not compressed.

The Python that runs them compiles them, without docstrings, assertions and line numbers.
Entries are stored as they are: Brotli sees the whole file at once, and nothing is unpacked twice.
"""

import importlib.util
import io
import marshal
import sys
import traceback
import zipfile
from types import CodeType

LIBRARY = f"/lib/python{sys.version_info.major}{sys.version_info.minor}.zip/"
WHEEL = "/tracker.whl/"
# what some errors and texts need, beyond what was imported until here
ALSO = ("encodings.ascii", "encodings.latin_1")
TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can hold
NO_LINE = 0b1_1111_000  # of a line table: these instructions have none
UNCHECKED = 0b01.to_bytes(4, "little")  # flags of a .pyc whose source nobody looks for


def imported() -> set[str]:
    """The files of all modules that a start, the core and an error report need."""
    sys.path.insert(0, WHEEL.rstrip("/"))
    for name in ("tracker.bridge", "tracker.installer", *ALSO):
        importlib.import_module(name)
    try:
        raise ValueError
    except ValueError as error:
        traceback.format_exception(error)
    specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
    return {spec.origin for spec in specs if spec is not None and spec.origin}


FILES = imported()


def compiled(source: bytes, name: str) -> bytes:
    """The content of a .pyc file."""
    code = without_lines(compile(source, name, "exec", dont_inherit=True, optimize=2))
    hashed = importlib.util.source_hash(source)
    return importlib.util.MAGIC_NUMBER + UNCHECKED + hashed + marshal.dumps(code)


def without_lines(code: CodeType) -> CodeType:
    """The code without line numbers: they are a third of its size."""
    constants = tuple(
        without_lines(each) if isinstance(each, CodeType) else each for each in code.co_consts
    )
    full, rest = divmod(len(code.co_code) // 2, 8)  # an entry of the table covers 8 instructions
    table = bytes([NO_LINE | 7] * full + [NO_LINE | rest - 1] * (rest > 0))
    return code.replace(co_linetable=table, co_consts=constants)


def image(archive: str, *, needed: bool = True) -> bytes:
    """The modules of one archive that are needed, or the others, compiled."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(archive.rstrip("/")) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as images,
    ):
        modules = {name for name in source.namelist() if name.endswith(".py")}
        names = {file.removeprefix(archive) for file in FILES if file.startswith(archive)}
        for name in sorted(modules & names if needed else modules - names):
            images.writestr(
                zipfile.ZipInfo(name + "c", TIMESTAMP), compiled(source.read(name), name)
            )
    return target.getvalue()


def library() -> bytes:
    """What of the standard library is needed."""
    return image(LIBRARY)


def core() -> bytes:
    """The core."""
    return image(WHEEL)


def plugins() -> bytes:
    """What only pages with plugins in Python need of the core."""
    return image(WHEEL, needed=False)
