"""One writer at a time: a file lock that DAGs and the command line both take."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dealermart.errors import LockError
from dealermart.settings import Settings

WAIT_SECONDS = 900.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Held:
    """A lock that this process holds.

    ``fd`` is handed to child processes that write too: the kernel keeps the lock until the last of them is gone, so a
    killed parent never leaves a writer behind an open lock.
    """

    fd: int


@contextmanager
def warehouse(settings: Settings, purpose: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[Held]:
    """Hold the one lock on state under ``settings.home`` while the block runs. The kernel releases it at a death.

    Raises:
        LockError: somebody else held it for longer than ``wait_seconds``; names the holder.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    fd = os.open(settings.lock_file, os.O_RDWR | os.O_CREAT, 0o664)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockError(
                        f"another process is at work: {holder(settings)}",
                        where=str(settings.lock_file),
                        mend="wait for it to end, then run the same command again",
                    ) from None
                time.sleep(_POLL_SECONDS)
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps({"pid": os.getpid(), "user": settings.user, "purpose": purpose}).encode(), 0)
        yield Held(fd)
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)


def holder(settings: Settings) -> str:
    """Who wrote into the lock file last, in words."""
    try:
        said = json.loads(settings.lock_file.read_text("utf-8"))
        return f"{said['purpose']} of {said['user']} (process {said['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"


def is_held(settings: Settings) -> bool:
    """Whether any process holds the lock at this moment."""
    try:
        fd = os.open(settings.lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
