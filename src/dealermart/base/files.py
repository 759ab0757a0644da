"""Writing files so that a fault at any moment leaves the old or the new state whole."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def sync(path: Path) -> None:
    """Force a file, or the entries of a folder, to disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_all(paths: Iterable[Path]) -> None:
    """Force files to disk, many at a time: the disk writes what waits in one go."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sync, paths))


def file_hash(path: Path) -> str:
    """The sha256 of a file, 64 hex digits."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def read_only(path: Path) -> None:
    """Take the right to write to a file; who may read it stays as it is."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o555)


def as_json(data: Any) -> str:
    """How data are written."""
    return json.dumps(data, ensure_ascii=False, indent=1, default=str)


def write_json(path: Path, data: Any, *, exclusive: bool = False) -> None:
    """Write ``data`` as JSON under its final name in one step; see ``write_text``."""
    write_text(path, as_json(data), exclusive=exclusive)


def write_text(path: Path, text: str, *, exclusive: bool = False) -> None:
    """Write a file under its final name in one step.

    Args:
        exclusive: Fail with FileExistsError when the name is taken, instead of replacing the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if exclusive:
            os.link(draft, path)
        else:
            os.replace(draft, path)
            return
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)
