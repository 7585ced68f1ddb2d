"""Zip archives whose bytes depend on their files' names and contents alone: not on times, permissions, the order of a folder, or the machine."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
MODE = 0o100644  # a regular file that everybody may read; Lambda runs the code as another user than its owner
UNIX = 3  # the system that MODE is meant for; a zip made on Windows would say 0
LEVEL = 6  # of deflate, as SAM compresses: 9 takes twice as long for less than 1 %


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip of these files, in this order."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system, entry.external_attr = UNIX, MODE << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, LEVEL)
    return written.getvalue()


def folder(path: Path, *, bytecode: bool) -> bytes:
    """Return a folder as a zip, in the order of the names; raises ``ValueError`` where there is anything but files.

    Without ``bytecode`` no ``__pycache__`` goes in: what an interpreter has left beside a source is not part of it.
    """
    files = {}
    for each in path.rglob("*"):
        name = each.relative_to(path)
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise ValueError(f"{each} is neither a file nor a folder")
        if each.is_file() and (bytecode or "__pycache__" not in name.parts):
            files[name.as_posix()] = each.read_bytes()
    return packed(sorted(files.items()))


def repacked(archive: bytes) -> bytes:
    """Return the same files in the same order, without what the zip says of the machine that made it."""
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        return packed((entry.filename, read.read(entry)) for entry in read.infolist() if not entry.is_dir())
