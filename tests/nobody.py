"""What another user of this machine can read: a process that has become the user ``nobody``."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user, as in CI's container")


@contextmanager
def walkable() -> Iterator[Path]:
    """A folder to which every user finds the way; pytest's own are closed, and so would prove nothing."""
    folder = Path(tempfile.mkdtemp(prefix="dealermart-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, as JSON can hold it, when a fork of this process calls it as the user nobody."""
    who = pwd.getpwnam("nobody")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgroups([])
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)
            with os.fdopen(writer, "w") as out:
                json.dump(look(), out)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as found:
        text = found.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return json.loads(text)


def seen_by_nobody(root: Path) -> set[str]:
    """The files and folders below ``root`` that nobody can read, each asked for by its very path; links are followed."""
    paths = [str(Path(folder, name)) for folder, *inside in os.walk(root) for names in inside for name in names]
    control = root.parent / "control.txt"
    control.write_text("open", "utf-8")
    control.chmod(0o644)

    def look() -> list[str]:
        assert control.read_text("utf-8") == "open", "nobody does not even find the way here"
        return [path for path in paths if _readable(path)]

    return {str(Path(path).relative_to(root)) for path in as_nobody(look)}


def _readable(path: str) -> bool:
    try:
        if os.path.isdir(path):  # noqa: PTH112
            os.listdir(path)  # noqa: PTH208
        else:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
