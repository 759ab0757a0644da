"""Where workbooks and packs lie, and who may read them.

``published/reviews/<quarter>/`` has a folder per audience: ``hr``, ``managers/<member>``, ``members/<member>``. Others
may pass through to what is theirs, and list nothing. A folder of an audience is its owner's alone (0700, files 0600);
where somebody gives it a group of its own with the setgid bit, that group reads new files too (0640). ``hr`` takes such
a group over from the folder above it; folders of persons do not, as it would be the group of all of them.
"""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dealermart.base import Settings, sync


def folder_of(settings: Settings, period_id: str, *audience: str) -> Path:
    """The folder of an audience, made where it is not there; ``folder_of(settings, "2026-Q3", "members", "M003")``."""
    path = settings.reviews
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    last = len(audience) + 1
    for place, step in enumerate(("", period_id, *audience)):
        path = path / step if step else path
        if not path.exists():
            path.mkdir(mode=0o700)
            kept = stat.S_IMODE(path.stat().st_mode) & stat.S_ISGID
            if place < last:
                path.chmod(kept | 0o711)
            elif len(audience) == 1:
                path.chmod(kept | 0o700 | _group(path))
            else:
                path.chmod(0o700)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a name beside ``path`` to write to; at the end the file is whole under its name, with its reader's rights.

    After a fault the file that was there before is as it was.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        yield draft
        draft.chmod(0o600 | (_group(path.parent) & 0o040))
        sync(draft)
        os.replace(draft, path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _group(folder: Path) -> int:
    """What a group may do in a folder: enter and read, where the folder has a group of its own; else nothing."""
    found = folder.stat()
    return 0o050 if found.st_mode & stat.S_ISGID and found.st_gid != os.getegid() else 0
